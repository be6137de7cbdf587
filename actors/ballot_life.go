package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// loadTimeout bounds one look into store and keyring.
const loadTimeout = 3 * time.Second

// A ballot that stays awake has its key looked at again after keyRefresh: it
// may have been disabled, or wrapped anew. While the key service can't be
// reached the ballot goes on with the key it has, for keyGrace at most.
const (
	keyRefresh = 15 * time.Minute
	keyGrace   = 24 * time.Hour
)

// wake begins an incarnation.
func (b *ballot) wake(ctx actor.Context) {
	b.armIdle(ctx)
	if b.refusal != nil {
		b.askForSleep(ctx)
		return
	}
	b.audience = ctx.Spawn(b.system.audienceProps(ctx.Self(), b.life.exhibit))
	b.refresh(ctx, nil)
}

// refresh asks the store anew, once for all who wait. A nil request just wants
// it done. One question is under way at most: whoever waits while it is may be
// told what was true before they came, and is not taken for asked.
func (b *ballot) refresh(ctx actor.Context, m asked) {
	if m != nil {
		b.waiting = append(b.waiting, m)
	}
	if b.refreshing {
		return
	}
	if r, ok := m.(interface{ seen() *reading }); ok {
		r.seen().asked = true
	}
	b.refreshing = true
	b.load(ctx)
}

// load reads and opens the ballot in a task that reports back by message.
func (b *ballot) load(ctx actor.Context) {
	self, root, id, incarnation := ctx.Self(), b.system.root, b.id, b.incarnation
	b.system.task(func() {
		m := b.system.open(id)
		m.incarnation = incarnation
		root.Send(self, m)
	})
}

// open reads a ballot from the store and opens it.
func (s *System) open(id oponn.BallotID) *loaded {
	s.loads <- struct{}{}
	defer func() { <-s.loads }()
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	m := &loaded{}
	if m.record, m.err = s.cfg.Store.Load(ctx, id); m.err != nil {
		return m
	}
	asked := time.Now()
	now, err := s.cfg.Store.Now(ctx)
	if err != nil {
		m.err = err
		return m
	}
	// It was read halfway between question and answer, give or take.
	m.ahead = now.Sub(asked.Add(time.Since(asked) / 2))
	m.ballot, m.state, m.writeIns, m.err = s.unseal(ctx, m.record)
	return m
}

// unseal opens all of a record.
func (s *System) unseal(ctx context.Context, record oponn.Record) (*oponn.Ballot, oponn.State, []oponn.WriteIn, error) {
	key, err := s.cfg.Keys.Open(ctx, record.Ballot, record.Key)
	if err != nil {
		return nil, oponn.State{}, nil, err
	}
	ballot, err := oponn.OpenBallot(record, key)
	if err != nil {
		return nil, oponn.State{}, nil, err
	}
	state, err := oponn.OpenState(key, record.Head)
	if err != nil {
		return nil, oponn.State{}, nil, err
	}
	if state.Definition != ballot.Definition.Revision {
		return nil, oponn.State{}, nil, oponn.Internal(fmt.Errorf("the definition is at revision %d, the head at %d", ballot.Definition.Revision, state.Definition))
	}
	writeIns, err := oponn.OpenWriteIns(key, record.WriteIns)
	return ballot, state, writeIns, err
}

// loaded takes what the store and the keyring said.
func (b *ballot) loaded(ctx actor.Context, m *loaded) {
	if m.incarnation != b.incarnation || b.refusal != nil {
		return
	}
	waiting := slices.Concat(b.stash, b.waiting)
	b.stash, b.waiting, b.refreshing = nil, nil, false
	if m.err != nil {
		b.loadFailed(ctx, m.err, waiting)
		return
	}
	first := b.ballot == nil
	b.ahead, b.keyChecked = m.ahead, time.Now()
	if first || m.ballot.Definition.Revision >= b.ballot.Definition.Revision { // it may have been changed while we asked
		b.ballot = m.ballot
	}
	moved := b.adopt(m.record.Head, m.state, m.writeIns)
	if moved {
		b.publish(ctx)
	}
	if b.sought > b.head.Version { // it had begun to answer before that
		b.sought = 0
		b.refresh(ctx, nil)
	}
	for i, q := range waiting {
		b.current, b.stash = q, waiting[i+1:] // nobody is forgotten if this one panics
		switch r, ok := q.(interface{ seen() *reading }); {
		case !ok:
			b.serve(ctx, q)
		case r.seen().after > b.head.Version && !r.seen().asked:
			b.refresh(ctx, q) // the store had been asked before they came
		default:
			b.show(ctx, q)
		}
	}
	b.current, b.stash = nil, nil
	if first && b.life.underway == nil && b.overdue() {
		b.settle = true
		b.submit(ctx)
	}
}

// loadFailed answers those who wait. A ballot that is not there, or can't be
// opened, is put to sleep again; one that is awake goes on with what it knows
// when the store or the key service is only away. A key service that says no
// is not away: then the ballot stops.
func (b *ballot) loadFailed(ctx actor.Context, err error, waiting []asked) {
	b.life.exhibit.failed(err, time.Now())
	err = storeError(err)
	code := oponn.CodeOf(err)
	gone := code == oponn.CodeGone || code == oponn.CodeNotFound
	denied := errors.Is(err, oponn.ErrKeyDenied)
	if code == oponn.CodeInternal || denied {
		var first string
		if len(waiting) > 0 {
			first = waiting[0].from()
		}
		b.system.cfg.Logger.ErrorContext(named(context.Background(), first, len(waiting)), "ballot not opened", "ballot", b.id.String(), "error", err)
	}
	// Whoever asks again on being refused finds the way to the next actor: the
	// registry hears of the wish to sleep first.
	defer func() {
		for _, q := range waiting {
			q.refuse(err)
		}
	}()
	away := code != oponn.CodeInternal && !denied && time.Since(b.keyChecked) < keyGrace
	if b.ballot != nil && !gone && away {
		return
	}
	reason := oponn.EndFault
	if gone {
		reason = oponn.EndGone
	}
	b.end(ctx, err, reason)
}

// end ends the streams, has the ballot put to sleep, and refuses everybody who
// waits or comes.
func (b *ballot) end(ctx actor.Context, refusal error, reason oponn.EndReason) {
	b.refusal = refusal
	if reason == oponn.EndGone {
		b.system.cfg.Keys.Forget(b.id)
	}
	b.dueTimer.stop()
	ctx.Send(b.audience, &dismiss{reason: reason})
	b.askForSleep(ctx)
	for _, m := range slices.Concat(b.stash, b.waiting) {
		m.refuse(refusal)
	}
	for _, m := range b.gathering {
		m.refuse(refusal)
	}
	for _, m := range b.changes {
		m.refuse(refusal)
	}
	b.stash, b.waiting, b.gathering, b.changes = nil, nil, nil, nil
}

// overdue says whether the status should have moved by the store's clock.
func (b *ballot) overdue() bool {
	at := b.state.Due()
	return !at.IsZero() && !time.Now().Add(b.ahead).Before(at)
}

// armDue wakes the ballot when its status is due to move, by the store's clock.
func (b *ballot) armDue(ctx actor.Context) {
	at := b.state.Due()
	if at.IsZero() {
		b.dueTimer.stop()
		return
	}
	// Early is worse than late: it costs a transaction that changes nothing.
	wait := max(time.Until(at)-b.ahead, 0) + time.Millisecond
	b.dueTimer.arm(b.system.root, ctx.Self(), wait, func(g int) any { return &due{generation: g} })
}

func (b *ballot) due(ctx actor.Context, generation int) {
	if generation != b.dueTimer.generation || b.ballot == nil || b.refusal != nil {
		return
	}
	b.settle = true
	b.submit(ctx)
}

// Passivation.

func (b *ballot) armIdle(ctx actor.Context) {
	wait := max(time.Until(b.lastActive.Add(b.system.cfg.IdleAfter)), time.Millisecond)
	b.idleTimer.arm(b.system.root, ctx.Self(), wait, func(g int) any { return &idle{generation: g} })
}

// busy says whether the ballot has anything to do or anybody to show it to.
func (b *ballot) busy() bool {
	return b.viewers > 0 || b.seating > b.seated || b.life.underway != nil || b.refreshing ||
		len(b.stash) > 0 || len(b.gathering) > 0 || len(b.changes) > 0
}

func (b *ballot) idle(ctx actor.Context, generation int) {
	if generation != b.idleTimer.generation {
		return
	}
	if b.busy() || time.Since(b.lastActive) < b.system.cfg.IdleAfter {
		if b.busy() {
			b.lastActive = time.Now()
		}
		if b.ballot != nil && b.refusal == nil && time.Since(b.keyChecked) > keyRefresh {
			b.refresh(ctx, nil)
		}
		b.armIdle(ctx)
		return
	}
	b.askForSleep(ctx)
}

func (b *ballot) askForSleep(ctx actor.Context) {
	b.system.admission.shut(b.id)
	ctx.Send(ctx.Parent(), &sleepy{ballot: b.id})
}

// sleep stops the actor, if it is still idle: the registry holds what comes
// until it has stopped. A refusing ballot goes in any case, but not before the
// writer has told the fate of its last batch.
func (b *ballot) sleep(ctx actor.Context) {
	coming := b.system.admission.direct(b.id) > 0
	switch {
	case b.life.underway != nil, b.refusal == nil && (b.busy() || coming):
		ctx.Send(ctx.Parent(), &stayedAwake{ballot: b.id})
		b.armIdle(ctx)
	case coming: // to be refused: they arrive within moments
		self, root := ctx.Self(), b.system.root
		time.AfterFunc(time.Millisecond, func() { root.Send(self, &maySleep{}) })
	default:
		if b.refusal == nil {
			b.system.meters.passivated.Add(1)
		}
		ctx.Stop(ctx.Self())
	}
}
