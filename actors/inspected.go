package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// inspect answers operators' questions to the registry.
func (r *registry) inspect(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *lookAround:
		all := make([]*exhibit, 0, len(r.ballots))
		for _, b := range r.ballots {
			all = append(all, b.exhibit)
		}
		m.show(all)
	case *lookAtBallot:
		if b := r.ballots[m.ballot]; b != nil {
			ctx.Send(b.pid, m)
			return
		}
		m.show(asleep(m.ballot))
	case *layDown:
		b := r.ballots[m.ballot]
		if b == nil {
			m.show(true)
			return
		}
		b.laid = append(b.laid, m)
		r.fell(ctx, m.ballot, b)
	}
}

// tellLaid tells operators whether the ballot sleeps.
func (b *berth) tellLaid(asleep bool) {
	for _, m := range b.laid {
		m.show(asleep)
	}
	b.laid = nil
}

// asleep is what is known of a ballot that isn't in memory.
func asleep(ballot oponn.BallotID) shownBallot {
	return shownBallot{BallotInspection: BallotInspection{BallotVitals: BallotVitals{Ballot: ballot}, State: StateAsleep}}
}

func (b *ballot) inspection() shownBallot {
	seen := BallotInspection{BallotVitals: b.life.exhibit.read(time.Now()), State: StateAwake, Crashes: len(b.life.crashes),
		Gathering: len(b.gathering), Changes: len(b.changes), Held: len(b.stash) + len(b.waiting)}
	switch {
	case b.refusal != nil:
		seen.State, seen.Refusal = StateRefusing, b.refusal.Error()
	case b.ballot == nil:
		seen.State = StateLoading
	}
	if b.ballot != nil {
		seen.Status, seen.Version, seen.Voters = b.state.Status, b.head.Version, b.state.Voters
	}
	if j := b.life.underway; j != nil {
		seen.InFlight, seen.InFlightSince, seen.Attempts = j.size(), j.begun, j.attempts+1
	}
	return shownBallot{BallotInspection: seen, audience: b.audience}
}

func (a *audience) inspection() []GroupInspection {
	groups := make([]GroupInspection, 0, len(a.groups))
	for name, g := range a.groups {
		groups = append(groups, GroupInspection{Name: name, Viewers: len(g.subs)})
	}
	slices.SortFunc(groups, func(a, b GroupInspection) int {
		return cmp.Or(cmp.Compare(b.Viewers, a.Viewers), cmp.Compare(a.Name, b.Name))
	})
	return groups
}

func (w *writer) inspection() WriterInspection {
	return WriterInspection{Queue: len(w.queue), Writing: w.desk.writing, Votes: w.desk.votes.now(time.Now()),
		Last: w.desk.last, Took: w.desk.took}
}

// done notes what the last transaction did.
func (d *desk) done(m *transacted) {
	d.last, d.took = 0, m.took
	for _, result := range m.result {
		d.last += len(result.Effect.Outcomes)
	}
	d.votes.add(d.last, time.Now())
}
