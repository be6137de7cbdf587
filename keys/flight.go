package keys

import (
	"context"
	"crypto/sha256"
	"time"
)

// fetch asks the KEK for one key. Its context has a deadline.
type fetch func(context.Context) (*dataKey, error)

// flight is one call to the KEK that many may wait for.
type flight struct {
	digest [sha256.Size]byte // of the wrapped key that it opens
	ctx    context.Context   // the call's own: it has a deadline, and outlives who began it
	cancel context.CancelFunc
	done   chan struct{} // closed when key and err are set
	key    *dataKey
	err    error
}

func newFlight(ctx context.Context, digest [sha256.Size]byte, deadline time.Duration) *flight {
	f := &flight{digest: digest, done: make(chan struct{})}
	f.ctx, f.cancel = context.WithTimeout(context.WithoutCancel(ctx), deadline)
	return f
}

// run makes the call, then lands, then wakes who waits.
func (f *flight) run(fetch fetch, land func()) {
	defer f.cancel() // after done is closed: see wait
	defer close(f.done)
	defer land()
	defer func() {
		if p := recover(); p != nil {
			f.err = refused("master key: panic: %v", p)
		}
	}()
	f.err = refused("master key: the call ended without an answer") // runtime.Goexit
	f.key, f.err = fetch(f.ctx)
}

// wait returns what the call brought, or CodeKeysUnavailable when the caller
// or the call ran out of time: also when the KEK does not heed its context.
func (f *flight) wait(ctx context.Context) (*dataKey, error) {
	var ended error
	select {
	case <-f.done:
	case <-ctx.Done():
		ended = context.Cause(ctx)
	case <-f.ctx.Done():
		ended = context.Cause(f.ctx)
	}
	select {
	case <-f.done: // it may have come at the same moment: what we have is worth more
		return f.key, f.err
	default:
		return nil, unavailable(ended)
	}
}
