package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
)

// link is one connection with subscriptions, made again whenever it breaks.
// Each connection is a session of its own that begins with everything that is
// followed then: nothing is carried over that could be wrong.
type link struct {
	bus  *Redis
	part int
	name string

	mu sync.Mutex
	// dirty is the ballots followed or unfollowed since the session last
	// looked; nil when there is no session, which then begins with all.
	dirty map[oponn.BallotID]bool
	wake  chan struct{}
}

// maxNames is how many channels go into one command.
const maxNames = 512

var (
	errMoved  = errors.New("the subscriptions belong elsewhere now")
	errSilent = errors.New("no sign of life")
)

func newLink(r *Redis, part int) *link {
	return &link{bus: r, part: part, name: "subscriptions " + strconv.Itoa(part), wake: make(chan struct{}, 1)}
}

// changed tells the session to look at a ballot again.
func (l *link) changed(ballot oponn.BallotID) {
	l.mu.Lock()
	if l.dirty != nil {
		l.dirty[ballot] = true
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what changed.
func (l *link) take() map[oponn.BallotID]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirty := l.dirty
	l.dirty = make(map[oponn.BallotID]bool)
	return dirty
}

// run keeps a session going until the bus is closed.
func (l *link) run(ctx context.Context) {
	pause := newPause(maxBackoff)
	for {
		begun, err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		l.bus.health.failing(l.name, err)
		l.bus.meters.broken.Add(1)
		if begun {
			pause.reset()
		}
		if !pause.wait(ctx) {
			return
		}
	}
}

// session holds one connection until it fails, and says whether it was ever
// good.
func (l *link) session(ctx context.Context) (begun bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := l.bus.keepalive(l.part)
	sub := l.bus.client.Subscribe(ctx) // without channels: nothing is sent yet
	defer sub.Close()
	if err := l.subscribe(ctx, sub, first); err != nil {
		return false, err
	}
	l.take() // from here on changes are noted
	defer l.forget()
	var feeding sync.WaitGroup
	defer feeding.Wait()
	defer cancel()
	feeding.Go(func() {
		defer sub.Close() // ends the reading below
		l.feed(ctx, sub)
	})
	silence := 3 * l.bus.cfg.beat
	for {
		message, err := sub.ReceiveTimeout(ctx, silence)
		if err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				err = errSilent
			}
			return begun, err
		}
		switch m := message.(type) {
		case *redis.Message:
			l.bus.deliver(m.Channel, m.Payload)
		case *redis.Subscription:
			switch {
			case m.Kind == "subscribe" || m.Kind == "ssubscribe":
				l.bus.subscribed(m.Channel)
			case m.Channel == first: // not our doing: the slot has moved
				return begun, errMoved
			}
		}
		if !begun {
			begun = true
			l.bus.meters.connected.Add(1)
			l.bus.health.well(l.name)
			l.bus.health.well("publish") // until it fails again
		}
	}
}

// forget ends the noting of changes.
func (l *link) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty = nil
}

// feed makes the connection's subscriptions those of the ballots that are
// followed, and asks for signs of life, until that fails.
func (l *link) feed(ctx context.Context, sub *redis.PubSub) {
	beat := time.NewTicker(l.bus.cfg.beat)
	defer beat.Stop()
	have := make(map[oponn.BallotID]bool)
	if l.reconcile(ctx, sub, have, l.all()) != nil {
		return
	}
	for {
		var err error
		select {
		case <-l.wake:
			err = l.reconcile(ctx, sub, have, l.take())
		case <-beat.C:
			err = sub.Ping(ctx)
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// all returns the followed ballots that belong to this link.
func (l *link) all() map[oponn.BallotID]bool {
	l.bus.mu.RLock()
	defer l.bus.mu.RUnlock()
	mine := make(map[oponn.BallotID]bool)
	for ballot := range l.bus.followed {
		if tagOf(ballot)%len(l.bus.links) == l.part {
			mine[ballot] = true
		}
	}
	return mine
}

// reconcile looks at some ballots again; have is what is subscribed to.
func (l *link) reconcile(ctx context.Context, sub *redis.PubSub, have, dirty map[oponn.BallotID]bool) error {
	var begin, end []string
	l.bus.mu.RLock()
	for ballot := range dirty {
		switch wanted := l.bus.followed[ballot]; {
		case wanted && !have[ballot]:
			have[ballot] = true
			begin = append(begin, l.bus.channel(ballot))
		case !wanted && have[ballot]:
			delete(have, ballot)
			end = append(end, l.bus.channel(ballot))
		}
	}
	l.bus.mu.RUnlock()
	for len(begin) > 0 {
		n := min(len(begin), maxNames)
		if err := l.subscribe(ctx, sub, begin[:n]...); err != nil {
			return err
		}
		begin = begin[n:]
	}
	for len(end) > 0 {
		n := min(len(end), maxNames)
		if err := l.unsubscribe(ctx, sub, end[:n]...); err != nil {
			return err
		}
		end = end[n:]
	}
	return nil
}

func (l *link) subscribe(ctx context.Context, sub *redis.PubSub, channels ...string) error {
	if l.bus.sharded {
		return sub.SSubscribe(ctx, channels...)
	}
	return sub.Subscribe(ctx, channels...)
}

func (l *link) unsubscribe(ctx context.Context, sub *redis.PubSub, channels ...string) error {
	if l.bus.sharded {
		return sub.SUnsubscribe(ctx, channels...)
	}
	return sub.Unsubscribe(ctx, channels...)
}

// pause is the time between attempts: short at first, doubling, with jitter so
// that instances don't come back in step.
type pause struct{ next, longest time.Duration }

const shortestPause = 5 * time.Millisecond

func newPause(longest time.Duration) *pause { return &pause{next: shortestPause, longest: longest} }

func (p *pause) reset() { p.next = shortestPause }

// wait waits, and says whether to go on.
func (p *pause) wait(ctx context.Context) bool {
	timer := time.NewTimer(p.next/2 + rand.N(p.next/2+1)) //nolint:gosec // jitter is no secret
	defer timer.Stop()
	p.next = min(2*p.next, p.longest)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
