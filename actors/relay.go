package actors

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of the relay.
type (
	// announce is a head that was committed here.
	announce struct {
		notice oponn.Notice
		vote   time.Time // when one of its votes came; zero for none
	}
	// follow and unfollow say which ballots have viewers here.
	follow   struct{ ballot oponn.BallotID }
	unfollow struct{ ballot oponn.BallotID }
	// genuine is a ballot's word that a notice was genuine, and news.
	genuine struct{ ballot oponn.BallotID }
	// received says that the inbox has something.
	received struct{}
	// callRoll is a word about viewers for the other instances.
	callRoll struct{ notice oponn.Notice }
	// published says that the last round of publishing has ended.
	published struct{ err error }
	// healTime is the clock of the sweep, healed its answer.
	healTime struct{ generation int }
	healed   struct {
		asked []oponn.BallotID
		begun time.Time
		heads []oponn.Head
		err   error
	}
)

// publishTimeout and healTimeout bound one round each; publishers is how many
// notices are on their way to the bus at once.
const (
	publishTimeout = time.Second
	healTimeout    = 2 * time.Second
	publishers     = 8
)

// resyncer is what a bus may be as well: one that knows when it began, or
// began again, to hear of a ballot. What was published before may be lost. The
// function is set once, before the first Follow, and must not block.
type resyncer interface {
	Resynced(func(ballot oponn.BallotID))
}

// relay ties this instance to the others: it publishes what was committed
// here, passes on what was committed elsewhere, and asks the store for every
// watched ballot that was not heard of for a while, all in one query. It keeps
// one notice per ballot each way: the newest. A notice counts as heard only
// when the ballot could open it: forged ones must not keep the sweep away.
type relay struct {
	system     *System
	inbox      *inbox
	outbox     map[oponn.BallotID]oponn.Notice
	rolls      map[oponn.BallotID]oponn.Notice
	publishing bool
	sample     *announce // whose age is to be told with the next round
	sampled    time.Time
	unreached  bool                         // the last round of publishing failed
	followed   map[oponn.BallotID]time.Time // last heard of
	missed     map[oponn.BallotID]bool      // to be asked for at once
	healing    bool
	timer      timer
}

func (s *System) relayProps() *actor.Props {
	followed := make(map[oponn.BallotID]time.Time) // outlives a restart: nobody follows again
	return s.props("relay", func() actor.Actor {
		return &relay{system: s, inbox: s.inbox, outbox: make(map[oponn.BallotID]oponn.Notice),
			rolls: make(map[oponn.BallotID]oponn.Notice), followed: followed, missed: make(map[oponn.BallotID]bool)}
	})
}

// Receive implements actor.Actor.
func (r *relay) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.armHeal(ctx)
	case *announce:
		r.heard(m.notice.Ballot, time.Now())
		r.outbox[m.notice.Ballot] = m.notice
		r.pick(m)
		r.publish(ctx)
	case *callRoll:
		r.rolls[m.notice.Ballot] = m.notice
		r.publish(ctx)
	case *published:
		r.publishing = false
		if m.err != nil && !r.unreached {
			r.system.cfg.Logger.Warn("bus not reached", "error", m.err)
		}
		r.unreached = m.err != nil
		r.publish(ctx)
	case *received:
		r.received(ctx)
	case *genuine:
		r.heard(m.ballot, time.Now())
	case *follow:
		r.followed[m.ballot] = time.Now()
		r.system.cfg.Bus.Follow(m.ballot)
	case *unfollow:
		delete(r.followed, m.ballot)
		delete(r.missed, m.ballot)
		r.system.cfg.Bus.Unfollow(m.ballot)
	case *healTime:
		if m.generation == r.timer.generation {
			r.heal(ctx)
			r.armHeal(ctx)
		}
	case *healed:
		r.healed(ctx, m)
	case *lookAtRelay:
		m.show(RelayInspection{Followed: len(r.followed), Outbox: len(r.outbox) + len(r.rolls), Unreached: r.unreached})
	case *actor.Stopping, *actor.Restarting:
		r.timer.stop()
	}
}

func (r *relay) heard(ballot oponn.BallotID, at time.Time) {
	if last, ok := r.followed[ballot]; ok && at.After(last) {
		r.followed[ballot] = at
	}
}

// received passes on what came from the bus, and asks the store for what the
// bus may have missed.
func (r *relay) received(ctx actor.Context) {
	notices, missed, ages := r.inbox.take()
	for ballot, notice := range notices {
		if notice.Gone {
			missed[ballot] = true // anybody could have said so
			continue
		}
		ctx.Send(r.system.registry, &remoteHead{notice: notice})
	}
	for _, m := range ages {
		ctx.Send(r.system.registry, m) // behind the head that it is about
	}
	for ballot := range missed {
		if _, ok := r.followed[ballot]; ok {
			r.missed[ballot] = true
		}
	}
	if len(r.missed) > 0 {
		r.heal(ctx)
	}
}

// publish hands what gathered to the bus, one round at a time: a slow bus
// costs freshness elsewhere, nothing here.
func (r *relay) publish(ctx actor.Context) {
	if r.publishing || len(r.outbox)+len(r.rolls) == 0 {
		return
	}
	r.publishing = true
	notices := slices.AppendSeq(slices.Collect(maps.Values(r.outbox)), maps.Values(r.rolls))
	r.outbox, r.rolls = make(map[oponn.BallotID]oponn.Notice), make(map[oponn.BallotID]oponn.Notice)
	sample := r.sample
	r.sample = nil
	self, root, bus := ctx.Self(), r.system.root, r.system.cfg.Bus
	r.system.task(func() {
		c, cancel := context.WithTimeout(context.Background(), publishTimeout)
		defer cancel()
		m := &published{err: publishAll(c, bus, notices)}
		r.system.meters.relay.round(len(notices), m.err)
		if sample != nil && m.err == nil {
			_ = bus.Publish(c, r.system.ageOf(sample)) // without it there is one measurement less
		}
		root.Send(self, m)
	})
}

// publishAll publishes a few at a time, so that a round doesn't take a round
// trip for each, and returns one of the errors.
func publishAll(ctx context.Context, bus oponn.Bus, notices []oponn.Notice) error {
	waiting, failed := make(chan oponn.Notice, len(notices)), make(chan error, len(notices))
	for _, notice := range notices {
		waiting <- notice
	}
	close(waiting)
	var all sync.WaitGroup
	for range min(len(notices), publishers) {
		all.Go(func() {
			for notice := range waiting {
				if err := bus.Publish(ctx, notice); err != nil {
					failed <- err
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// armHeal sets the next sweep: two in the time of Freshness, so that what was
// heard of just before one is asked for before twice that time has passed.
func (r *relay) armHeal(ctx actor.Context) {
	r.timer.arm(r.system.root, ctx.Self(), r.system.cfg.Freshness/2, func(g int) any { return &healTime{generation: g} })
}

// ageEvery is the least time between two words of how old votes are.
const ageEvery = 100 * time.Millisecond

// pick has the other instances be told, now and then, how old a vote of a
// version is when it has been published: that is where they can go on measuring.
func (r *relay) pick(m *announce) {
	if !m.vote.IsZero() && r.system.meters.measures && time.Since(r.sampled) >= ageEvery {
		r.sample, r.sampled = m, time.Now()
	}
}

// ageOf returns that word.
func (s *System) ageOf(m *announce) oponn.Notice {
	return oponn.Notice{Ballot: m.notice.Ballot, Age: &oponn.Age{Instance: s.presence.instance,
		Version: m.notice.Head.Version, Age: min(time.Since(m.vote), oponn.MaxAge)}}
}

// heal asks the store for the watched ballots that were not heard of, or that
// the bus may have missed.
func (r *relay) heal(ctx actor.Context) {
	if r.healing {
		return
	}
	begun := time.Now()
	var unheard []oponn.BallotID
	for ballot, last := range r.followed {
		if begun.Sub(last) >= r.system.cfg.Freshness || r.missed[ballot] {
			unheard = append(unheard, ballot)
		}
	}
	clear(r.missed)
	if len(unheard) == 0 {
		return
	}
	r.healing = true
	self, root, store := ctx.Self(), r.system.root, r.system.cfg.Store
	r.system.task(func() {
		c, cancel := context.WithTimeout(context.Background(), healTimeout)
		defer cancel()
		m := &healed{asked: unheard, begun: begun}
		m.heads, m.err = store.Heads(c, unheard)
		r.system.meters.relay.swept(len(unheard), m.err)
		found := make(map[oponn.BallotID]bool, len(m.heads))
		for _, head := range m.heads {
			found[head.Ballot] = true
		}
		for _, ballot := range unheard {
			if m.err == nil && !found[ballot] {
				root.Send(r.system.registry, &remoteHead{notice: oponn.Notice{Ballot: ballot, Gone: true}})
			}
		}
		root.Send(self, m)
	})
}

func (r *relay) healed(ctx actor.Context, m *healed) {
	r.healing = false
	if m.err != nil {
		r.system.cfg.Logger.Warn("watched ballots not refreshed", "error", m.err)
		for _, ballot := range m.asked {
			if _, ok := r.followed[ballot]; ok {
				r.followed[ballot] = time.Time{} // the next sweep asks again
			}
		}
		return
	}
	for _, head := range m.heads {
		r.heard(head.Ballot, m.begun)
		ctx.Send(r.system.registry, &remoteHead{notice: oponn.Notice{Ballot: head.Ballot, Head: head}})
	}
	if len(r.missed) > 0 {
		r.heal(ctx)
	}
}

// inbox takes notices from the bus, which must not wait, and keeps the newest
// for each ballot, and which ones the bus may have missed something of.
type inbox struct {
	mu      sync.Mutex
	notices map[oponn.BallotID]oponn.Notice
	missed  map[oponn.BallotID]bool
	ages    map[oponn.BallotID]*aged
	wake    func() // sends received to the relay
}

func newInbox() *inbox {
	i := &inbox{}
	i.empty()
	return i
}

func (i *inbox) empty() {
	i.notices, i.missed = make(map[oponn.BallotID]oponn.Notice), make(map[oponn.BallotID]bool)
	i.ages = make(map[oponn.BallotID]*aged)
}

func (i *inbox) put(notice oponn.Notice) {
	if age := notice.Age; age != nil {
		m := &aged{ballot: notice.Ballot, version: age.Version, age: age.Age, at: time.Now()}
		i.add(func() { i.ages[notice.Ballot] = m })
		return
	}
	i.add(func() {
		if before, ok := i.notices[notice.Ballot]; !ok || notice.Gone || !before.Gone && notice.Head.Version > before.Head.Version {
			i.notices[notice.Ballot] = notice
		}
	})
}

func (i *inbox) resynced(ballot oponn.BallotID) {
	i.add(func() { i.missed[ballot] = true })
}

func (i *inbox) add(change func()) {
	i.mu.Lock()
	first := len(i.notices)+len(i.missed)+len(i.ages) == 0
	change()
	i.mu.Unlock()
	if first {
		i.wake()
	}
}

func (i *inbox) take() (notices map[oponn.BallotID]oponn.Notice, missed map[oponn.BallotID]bool, ages map[oponn.BallotID]*aged) {
	i.mu.Lock()
	defer i.mu.Unlock()
	notices, missed, ages = i.notices, i.missed, i.ages
	i.empty()
	return notices, missed, ages
}
