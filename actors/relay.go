package actors

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of the relay.
type (
	// announce is a head that was committed here.
	announce struct{ notice oponn.Notice }
	// follow and unfollow say which ballots have viewers here.
	follow   struct{ ballot oponn.BallotID }
	unfollow struct{ ballot oponn.BallotID }
	// received says that the inbox has something.
	received struct{}
	// published says that the last round of publishing has ended.
	published struct{ err error }
	// healTime is the clock of the sweep, healed its answer.
	healTime struct{ generation int }
	healed   struct {
		heads []oponn.Head
		err   error
	}
)

// publishTimeout and healTimeout bound one round each.
const (
	publishTimeout = time.Second
	healTimeout    = 2 * time.Second
)

// relay ties this instance to the others: it publishes what was committed
// here, passes on what was committed elsewhere, and asks the store for every
// watched ballot that was not heard of for a while, all in one query. It keeps
// one notice per ballot each way: the newest.
type relay struct {
	system     *System
	inbox      *inbox
	outbox     map[oponn.BallotID]oponn.Notice
	publishing bool
	followed   map[oponn.BallotID]time.Time // last heard of
	healing    bool
	timer      timer
}

func (s *System) relayProps() *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor {
		return &relay{system: s, inbox: s.inbox, outbox: make(map[oponn.BallotID]oponn.Notice),
			followed: make(map[oponn.BallotID]time.Time)}
	}, actor.WithReceiverMiddleware(logged(s.cfg.Logger, "relay")))
}

// Receive implements actor.Actor.
func (r *relay) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.armHeal(ctx)
	case *announce:
		r.heard(m.notice.Ballot)
		r.outbox[m.notice.Ballot] = m.notice
		r.publish(ctx)
	case *published:
		r.publishing = false
		if m.err != nil {
			r.system.cfg.Logger.Warn("bus not reached", "error", m.err)
		}
		r.publish(ctx)
	case *received:
		for _, notice := range r.inbox.take() {
			r.heard(notice.Ballot)
			ctx.Send(r.system.registry, &remoteHead{notice: notice})
		}
	case *follow:
		r.followed[m.ballot] = time.Now()
		r.system.cfg.Bus.Follow(m.ballot)
	case *unfollow:
		delete(r.followed, m.ballot)
		r.system.cfg.Bus.Unfollow(m.ballot)
	case *healTime:
		if m.generation == r.timer.generation {
			r.heal(ctx)
			r.armHeal(ctx)
		}
	case *healed:
		r.healed(ctx, m)
	case *actor.Stopping, *actor.Restarting:
		r.timer.stop()
	}
}

func (r *relay) heard(ballot oponn.BallotID) {
	if _, ok := r.followed[ballot]; ok {
		r.followed[ballot] = time.Now()
	}
}

// publish hands what gathered to the bus, one round at a time: a slow bus
// costs freshness elsewhere, nothing here.
func (r *relay) publish(ctx actor.Context) {
	if r.publishing || len(r.outbox) == 0 {
		return
	}
	r.publishing = true
	notices := r.outbox
	r.outbox = make(map[oponn.BallotID]oponn.Notice)
	self, root, bus := ctx.Self(), r.system.root, r.system.cfg.Bus
	r.system.task(func() {
		c, cancel := context.WithTimeout(context.Background(), publishTimeout)
		defer cancel()
		m := &published{}
		for _, notice := range notices {
			if err := bus.Publish(c, notice); err != nil {
				m.err = err
			}
		}
		root.Send(self, m)
	})
}

func (r *relay) armHeal(ctx actor.Context) {
	r.timer.arm(r.system.root, ctx.Self(), r.system.cfg.Freshness, func(g int) any { return &healTime{generation: g} })
}

// heal asks the store for the watched ballots that were not heard of.
func (r *relay) heal(ctx actor.Context) {
	if r.healing {
		return
	}
	var unheard []oponn.BallotID
	for ballot, last := range r.followed {
		if time.Since(last) >= r.system.cfg.Freshness {
			unheard = append(unheard, ballot)
		}
	}
	if len(unheard) == 0 {
		return
	}
	r.healing = true
	self, root, store := ctx.Self(), r.system.root, r.system.cfg.Store
	r.system.task(func() {
		c, cancel := context.WithTimeout(context.Background(), healTimeout)
		defer cancel()
		m := &healed{}
		m.heads, m.err = store.Heads(c, unheard)
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
		return
	}
	for _, head := range m.heads {
		r.heard(head.Ballot)
		ctx.Send(r.system.registry, &remoteHead{notice: oponn.Notice{Ballot: head.Ballot, Head: head}})
	}
}

// inbox takes notices from the bus, which must not wait, and keeps the newest
// for each ballot.
type inbox struct {
	mu      sync.Mutex
	notices map[oponn.BallotID]oponn.Notice
	wake    func() // sends received to the relay
}

func (i *inbox) put(notice oponn.Notice) {
	i.mu.Lock()
	first := len(i.notices) == 0
	if before, ok := i.notices[notice.Ballot]; !ok || notice.Gone || !before.Gone && notice.Head.Version > before.Head.Version {
		i.notices[notice.Ballot] = notice
	}
	i.mu.Unlock()
	if first {
		i.wake()
	}
}

func (i *inbox) take() map[oponn.BallotID]oponn.Notice {
	i.mu.Lock()
	defer i.mu.Unlock()
	notices := i.notices
	i.notices = make(map[oponn.BallotID]oponn.Notice)
	return notices
}
