package actors

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Commands to a ballot. Each is a request that it answers once.
type (
	castVote struct {
		request[castOutcome]
		cast    oponn.Cast
		vote    oponn.Vote // set when the ballot has sealed it
		came    time.Time  // to the ballot
		journey journey
	}
	getResult struct {
		request[oponn.Snapshot]
		reading
	}
	changeBallot struct {
		request[oponn.Snapshot]
		change oponn.Change
	}
	watchBallot struct {
		request[struct{}]
		reading
		sub *subscriber
	}
)

// reading is what somebody who reads has seen, and whether the store was asked
// after they came: what it said before may be older.
type reading struct {
	after uint64
	asked bool
}

func (r *reading) seen() *reading { return r }

// castOutcome is a vote's fate with the ballot, whose key makes the receipt.
type castOutcome struct {
	ballot  *oponn.Ballot
	outcome oponn.Outcome
}

// Events of a ballot.
type (
	// loaded is the answer of the store and the keyring to waking up.
	loaded struct {
		incarnation int
		record      oponn.Record
		ballot      *oponn.Ballot
		state       oponn.State
		writeIns    []oponn.WriteIn
		ahead       time.Duration // of the store's clock before ours
		err         error
	}
	// remoteHead is a head that somebody else moved, from the bus or the sweep.
	remoteHead struct{ notice oponn.Notice }
	// crowd is how many viewers the audience has, and how many were let in.
	crowd struct{ viewers, joined int }
	idle  struct{ generation int }
	due   struct{ generation int }
	// resubmit tries the batch under way again.
	resubmit struct{ job *job }
)

func (m *aged) about() oponn.BallotID { return m.ballot }

func (m *remoteHead) about() oponn.BallotID { return m.notice.Ballot }

// life is what one ballot's actor keeps over its own crashes. Only the actor
// touches it.
type life struct {
	incarnation int
	crashes     []time.Time
	// underway is the batch that the writer has: one at most, whatever crashes.
	underway *job
	exhibit  *exhibit
	vitals   *vitals
	// commits is how long batches took of late.
	commits effort
}

// ballot is the actor of one ballot. It is loading, awake, or refusing: then
// refusal is what everybody gets until it has been put to sleep.
type ballot struct {
	system *System
	id     oponn.BallotID
	life   *life
	// incarnation tells this instance of the actor from those before it.
	incarnation int

	refusal error
	stash   []asked // what came while loading
	// refreshing says that the store is being asked; waiting is who waits, and
	// sought a version that it is known, or said, to have.
	refreshing bool
	sought     uint64
	waiting    []asked

	ballot   *oponn.Ballot
	head     oponn.Head
	state    oponn.State
	writeIns []oponn.WriteIn
	asOf     time.Time
	ahead    time.Duration
	// keyChecked is when the keyring last opened the key.
	keyChecked time.Time

	gathering []*castVote
	changes   []*changeBallot
	// settle asks for a batch that only lets the status follow the time.
	settle bool

	audience *actor.PID
	viewers  int
	// seating is how many viewers were sent to the audience, and seated how many
	// it has let in: those between are not counted among the viewers yet.
	seating, seated int
	// current is the request or job at hand, kept for those who wait for it
	// should it panic.
	current    any
	lastActive time.Time
	idleTimer  timer
	dueTimer   timer
}

// ballotProps returns how to make a ballot's actor, and its mailbox. The closure
// keeps the actor's life over restarts.
func (s *System) ballotProps(id oponn.BallotID, v *exhibit) (*actor.Props, *vitals) {
	l := &life{exhibit: v}
	props, box := s.propsAndVitals("ballot", func() actor.Actor {
		now := time.Now()
		if l.incarnation++; l.incarnation > 1 {
			l.crashes = slices.DeleteFunc(append(l.crashes, now), func(t time.Time) bool { return now.Sub(t) > crashWindow })
		}
		b := &ballot{system: s, id: id, life: l, incarnation: l.incarnation, lastActive: now}
		if len(l.crashes) > maxCrashes {
			b.refusal = errBusy("This ballot is having trouble. Please try again in a moment.")
		}
		return b
	}, actor.WithSupervisor(stopAtOnce))
	l.vitals = box
	return props, box
}

// Receive implements actor.Actor. It never blocks: what does goes to a task or
// to the writer.
func (b *ballot) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		b.wake(ctx)
	case *actor.Restarting, *actor.Stopping:
		b.crowd(ctx, 0) // viewers who come back are counted anew
		b.abandon()
	case asked:
		b.ask(ctx, m)
	case *loaded:
		b.loaded(ctx, m)
	case *committed:
		b.committed(ctx, m)
	case *resubmit:
		b.resubmit(ctx, m.job)
	case *remoteHead:
		b.remote(ctx, m.notice)
	case *aged:
		if b.viewers > 0 {
			ctx.Send(b.audience, m)
		}
	case *crowd:
		b.seated = m.joined
		b.crowd(ctx, m.viewers)
	case *due:
		b.due(ctx, m.generation)
	case *idle:
		b.idle(ctx, m.generation)
	case *maySleep:
		b.sleep(ctx)
	case *lookAtBallot:
		m.show(b.inspection())
	case *actor.Terminated:
		b.audienceGone(ctx, m.Who)
	}
}

// ask takes a request: at once when awake, later when loading.
func (b *ballot) ask(ctx actor.Context, m asked) {
	b.lastActive = time.Now()
	if vote, ok := m.(*castVote); ok {
		vote.came = b.lastActive
	}
	switch {
	case b.refusal != nil:
		m.refuse(b.refusal)
	case b.ballot == nil:
		b.stash = append(b.stash, m)
	default:
		b.current = m
		b.serve(ctx, m)
		b.current = nil
	}
}

// serve answers a request of a ballot that is awake.
func (b *ballot) serve(ctx actor.Context, m asked) {
	switch q := m.(type) {
	case *castVote:
		b.cast(ctx, q)
	case *changeBallot:
		b.changes = append(b.changes, q)
		b.submit(ctx)
	case *getResult:
		if b.behind(q.after) {
			b.refresh(ctx, q)
			return
		}
		b.show(ctx, q)
	case *watchBallot:
		if b.behind(q.after) {
			b.refresh(ctx, q)
			return
		}
		b.show(ctx, q)
	}
}

// show answers a reader with what is known.
func (b *ballot) show(ctx actor.Context, m asked) {
	switch q := m.(type) {
	case *getResult:
		q.answer(b.snapshot(), nil)
	case *watchBallot:
		if b.viewers == 0 {
			b.tellAudience(ctx)
		}
		b.seating++
		ctx.Send(b.audience, &join{sub: q.sub})
		q.answer(struct{}{}, nil)
	}
}

// snapshot returns what everybody may see now.
func (b *ballot) snapshot() oponn.Snapshot {
	return oponn.Snapshot{Ballot: b.ballot, Version: b.head.Version, State: b.state, WriteIns: b.writeIns, ExpiresAt: b.head.ExpiresAt}
}

// behind says whether the store must be asked before an answer is given:
// because the asker has seen more, or because nobody told us for too long.
// What is watched is kept fresh by the relay.
func (b *ballot) behind(after uint64) bool {
	if after > b.head.Version {
		return true
	}
	return b.viewers == 0 && b.life.underway == nil && time.Since(b.asOf) > b.system.cfg.Freshness
}

// adopt makes a newer head the known one, and says whether it was newer.
func (b *ballot) adopt(head oponn.Head, state oponn.State, writeIns []oponn.WriteIn) bool {
	b.asOf = time.Now()
	if head.Version <= b.head.Version {
		return false
	}
	b.head, b.state, b.writeIns = head, state, writeIns
	return true
}

// publish shows the state to the audience here.
func (b *ballot) publish(ctx actor.Context, onward ...journey) {
	if b.viewers > 0 { // else whoever comes finds it
		b.tellAudience(ctx, onward...)
	}
	b.armDue(ctx)
}

func (b *ballot) tellAudience(ctx actor.Context, onward ...journey) {
	ctx.Send(b.audience, &publish{snapshot: b.snapshot(), commits: b.life.commits.of(), onward: onward})
}

// remote takes a head that somebody else moved. One that doesn't open, or is
// not newer, changes nothing.
func (b *ballot) remote(ctx actor.Context, notice oponn.Notice) {
	if b.refusal != nil {
		return
	}
	if b.ballot == nil { // it may be older what the store is about to say
		b.sought = max(b.sought, notice.Head.Version)
		if notice.Gone {
			b.sought = math.MaxUint64
		}
		return
	}
	if notice.Gone {
		b.refresh(ctx, nil) // the store's word, not the bus's
		return
	}
	if notice.Head.Version <= b.head.Version {
		return // not a sign of freshness: anybody could have sent it again
	}
	state, err := oponn.OpenState(b.ballot.Key, notice.Head)
	if err != nil {
		b.system.cfg.Logger.Warn("notice refused", "error", err)
		return
	}
	// Of a head from the bus only version and state are certain.
	if state.Definition != b.ballot.Definition.Revision || len(state.Counts) > len(b.ballot.Definition.Labels)+len(b.writeIns) {
		b.sought = notice.Head.Version
		b.refresh(ctx, nil) // question and labels are in the store
		return
	}
	if b.adopt(notice.Head, state, b.writeIns) {
		ctx.Send(b.system.relay, &genuine{ballot: b.id})
		b.publish(ctx)
	}
}

// audienceGone gives a ballot whose audience failed a new one; the viewers
// come back by themselves.
func (b *ballot) audienceGone(ctx actor.Context, who *actor.PID) {
	if b.audience == nil || !b.audience.Equal(who) {
		return
	}
	b.audience = ctx.Spawn(b.system.audienceProps(ctx.Self(), b.life.exhibit))
	b.seating, b.seated = 0, 0
	b.crowd(ctx, 0)
	if b.ballot != nil && b.refusal == nil {
		b.publish(ctx)
	}
}

func (b *ballot) crowd(ctx actor.Context, viewers int) {
	switch {
	case b.viewers == 0 && viewers > 0:
		ctx.Send(b.system.relay, &follow{ballot: b.id})
		if b.ballot != nil && b.refusal == nil {
			b.tellAudience(ctx) // of what was not told since they came
		}
	case b.viewers > 0 && viewers == 0:
		ctx.Send(b.system.relay, &unfollow{ballot: b.id})
	}
	b.viewers, b.lastActive = viewers, time.Now()
	b.life.exhibit.crowd(viewers)
}

// abandon answers everyone who waits for this instance of the actor, which is
// about to go, with an error worth trying again. Those whose votes the writer
// has are not among them: the next instance answers them.
func (b *ballot) abandon() {
	err := errBusy("Something went wrong here just now. Please try again.")
	switch m := b.current.(type) {
	case asked:
		m.refuse(err)
	case *job:
		m.refuse(err)
	}
	for _, m := range slices.Concat(b.stash, b.waiting) {
		m.refuse(err)
	}
	for _, m := range b.gathering {
		m.refuse(err)
	}
	for _, m := range b.changes {
		m.refuse(err)
	}
	b.stash, b.waiting, b.gathering, b.changes = nil, nil, nil, nil
	b.idleTimer.stop()
	b.dueTimer.stop()
	b.audience = nil // it goes too, and must not be replaced
}

// storeError returns what a caller gets for an error of store or keyring.
func storeError(err error) error {
	var known *oponn.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, err, "The database took too long. Please try again.")
	default:
		return oponn.Internal(err)
	}
}
