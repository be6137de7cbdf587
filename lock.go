package oponn

import (
	"context"
	"errors"
	"time"
)

// Lock elects one of several instances for a piece of work. It keeps others
// from doing it too as long as all goes well; what must never happen twice is
// for the store to prevent, by the fence (see Kleppmann, "How to do
// distributed locking", 2016). It is safe for concurrent use.
type Lock interface {
	// Acquire takes the lock of a name, once, without waiting: ErrHeld says
	// that somebody else has it. It is held until Release, renewed meanwhile;
	// should its holder vanish, it is free again after ttl at the latest. The
	// context is for acquiring only.
	Acquire(ctx context.Context, name string, ttl time.Duration) (Lease, error)
}

// Lease is a lock that is held.
type Lease interface {
	// Fence returns a number that is higher than that of every holder before:
	// the store refuses what comes with a lower one.
	Fence() uint64

	// Lost is closed once the lock can't be relied on: it was taken away, or
	// could not be renewed in time. Whoever holds it stops working then.
	Lost() <-chan struct{}

	// Release gives the lock back. ErrLost says that it was lost before.
	Release(ctx context.Context) error
}

// ErrHeld says that somebody else has the lock; ErrLost that it is ours no
// more, or can't be known to be.
var (
	ErrHeld = errors.New("lock is held by another")
	ErrLost = errors.New("lock is lost")
)
