package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Failures holds back keys that have failed too often. Only who fails pays: as
// long as nobody is held back, asking costs one look at a number. What is under
// way when a key begins to be held back goes on, so it is for what can't be
// guessed anyway. It is safe for concurrent use.
type Failures struct {
	limiter Limiter
	keys    int
	count   atomic.Int64 // of until

	mu    sync.Mutex
	until map[string]time.Time
}

// NewFailures returns one that takes failures from a limiter, and remembers at
// most the given number of keys that are held back.
func NewFailures(l Limiter, keys int) *Failures {
	return &Failures{limiter: l, keys: max(keys, 1), until: make(map[string]time.Time)}
}

// Any says whether any key may be held back.
func (f *Failures) Any() bool { return f.count.Load() > 0 }

// Wait returns for how long a key is held back; zero for not at all.
func (f *Failures) Wait(key string) time.Duration {
	if !f.Any() {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	until, held := f.until[key]
	if !held {
		return 0
	}
	wait := time.Until(until)
	if wait <= 0 {
		f.forget(key)
		return 0
	}
	return wait
}

// Fail notes that a key has failed once more.
func (f *Failures) Fail(ctx context.Context, key string) error {
	wait, err := f.limiter.Take(ctx, key, 1)
	if err != nil || wait <= 0 {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.until) >= f.keys {
		f.makeRoom()
	}
	f.until[key] = time.Now().Add(wait)
	f.count.Store(int64(len(f.until)))
	return nil
}

// makeRoom forgets the keys whose time is over, or any one.
func (f *Failures) makeRoom() {
	now := time.Now()
	for key, until := range f.until {
		if !until.After(now) {
			f.forget(key)
		}
	}
	for key := range f.until {
		if len(f.until) < f.keys {
			return
		}
		f.forget(key)
	}
}

func (f *Failures) forget(key string) {
	delete(f.until, key)
	f.count.Store(int64(len(f.until)))
}
