package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
)

// Fences gives numbers that only rise: the store keeps them, because Redis may
// forget.
type Fences interface {
	// NextFence returns a number for the name that is higher than any before,
	// and remembers it. A write that comes with a lower one must be refused.
	NextFence(ctx context.Context, name string) (uint64, error)
}

// Locks are distributed locks on the Redis of a bus. They say who should do a
// piece of work, and keep others from doing it too as long as all goes well.
// What must never happen twice is for the store to prevent: by the fence.
type Locks struct {
	bus    *Redis
	fences Fences
}

// Locks returns the locks on this bus's Redis, whose numbers fences keeps.
func (r *Redis) Locks(fences Fences) *Locks { return &Locks{bus: r, fences: fences} }

var _ oponn.Lock = (*Locks)(nil)

// minTTL is the shortest life of a lock: below it, renewing would be most of
// the work.
const minTTL = 50 * time.Millisecond

// Acquire implements oponn.Lock.
func (l *Locks) Acquire(ctx context.Context, name string, ttl time.Duration) (oponn.Lease, error) {
	if ttl < minTTL {
		return nil, fmt.Errorf("acquire lock %s: its time to live is under %s", name, minTTL)
	}
	l.bus.mu.RLock()
	client := l.bus.client
	l.bus.mu.RUnlock()
	if client == nil {
		return nil, fmt.Errorf("acquire lock %s: %w", name, l.bus.health.check())
	}
	return l.acquire(ctx, client, name, ttl)
}

func (l *Locks) acquire(ctx context.Context, client redis.UniversalClient, name string, ttl time.Duration) (oponn.Lease, error) {
	begun := time.Now() // before Redis begins to count
	held, err := redislock.Obtain(ctx, client, l.bus.cfg.namespace+":lock:"+name, ttl, nil)
	if errors.Is(err, redislock.ErrNotObtained) {
		return nil, oponn.ErrHeld
	}
	if err != nil {
		return nil, fmt.Errorf("acquire lock %s: %w", name, err)
	}
	fence, err := l.fences.NextFence(ctx, name)
	if err != nil {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
		defer cancel()
		_ = held.Release(release)
		return nil, fmt.Errorf("acquire lock %s: %w", name, err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	taken := &lease{held: held, ttl: ttl, fence: fence, stop: stop, lost: make(chan struct{}), ended: make(chan struct{})}
	go taken.renew(life, begun)
	return taken, nil
}

// lease is a lock that is held.
type lease struct {
	held  *redislock.Lock
	ttl   time.Duration
	fence uint64
	stop  context.CancelFunc
	once  sync.Once
	lost  chan struct{}
	ended chan struct{} // of renewing
}

// Fence implements oponn.Lease.
func (l *lease) Fence() uint64 { return l.fence }

// Lost implements oponn.Lease.
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Release implements oponn.Lease. An error other than ErrLost says that the
// lock may stay taken until its time is over.
func (l *lease) Release(ctx context.Context) error {
	l.stop()
	<-l.ended
	select {
	case <-l.lost:
		return oponn.ErrLost
	default:
	}
	err := l.held.Release(ctx)
	l.lose()
	if errors.Is(err, redislock.ErrLockNotHeld) {
		return oponn.ErrLost
	}
	return err
}

func (l *lease) lose() { l.once.Do(func() { close(l.lost) }) }

// renew keeps the lock alive: three attempts in its time. It counts from
// before the question, and a tenth less, for clocks that run apart.
func (l *lease) renew(ctx context.Context, begun time.Time) {
	defer close(l.ended)
	sure := begun.Add(l.ttl - l.ttl/10)
	timer := time.NewTimer(l.ttl / 3)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		begun = time.Now()
		attempt, cancel := context.WithDeadline(ctx, sure)
		err := l.held.Refresh(attempt, l.ttl, nil)
		cancel()
		switch now := time.Now(); {
		case err == nil && now.Before(sure):
			sure = begun.Add(l.ttl - l.ttl/10)
			timer.Reset(l.ttl / 3)
		case errors.Is(err, redislock.ErrNotObtained), !now.Before(sure):
			if ctx.Err() == nil {
				l.lose()
			}
			return
		default: // try again soon, and be there when it is too late
			timer.Reset(min(l.ttl/10, time.Until(sure)+time.Millisecond))
		}
	}
}
