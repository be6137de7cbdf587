package bus_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/bus/redistest"
)

// fences is what a store does for locks: it counts, and refuses who is late.
type fences struct {
	mu   sync.Mutex
	last map[string]uint64
	err  error
}

func (f *fences) NextFence(_ context.Context, name string) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.last[name]++
	return f.last[name], nil
}

// write says whether the store takes a write with this fence.
func (f *fences) write(name string, fence uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fence == f.last[name]
}

func newFences() *fences { return &fences{last: make(map[string]uint64)} }

func acquire(t *testing.T, l *bus.Locks, ttl time.Duration) oponn.Lease {
	t.Helper()
	lease, err := l.Acquire(t.Context(), "sweep", ttl)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func lost(lease oponn.Lease) bool {
	select {
	case <-lease.Lost():
		return true
	default:
		return false
	}
}

func TestLock(t *testing.T) {
	pair := func(t *testing.T, url string) (f *fences, a, b *bus.Locks, namespace string) {
		t.Helper()
		namespace = redistest.Namespace(t)
		f = newFences()
		return f, open(t, url, namespace).Locks(f), open(t, url, namespace).Locks(f), namespace
	}
	t.Run("one has it, then the other, with a higher fence", func(t *testing.T) {
		f, a, b, _ := pair(t, redistest.URL(t))
		lease := acquire(t, a, time.Minute)
		if _, err := b.Acquire(t.Context(), "sweep", time.Minute); !errors.Is(err, oponn.ErrHeld) {
			t.Errorf("the other: %v", err)
		}
		if other, err := b.Acquire(t.Context(), "other work", time.Minute); err != nil {
			t.Errorf("another name: %v", err)
		} else if err := other.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if err := lease.Release(t.Context()); err != nil || !lost(lease) {
			t.Errorf("release: %v", err)
		}
		next := acquire(t, b, time.Minute)
		if next.Fence() <= lease.Fence() || f.write("sweep", lease.Fence()) || !f.write("sweep", next.Fence()) {
			t.Errorf("fences %d and %d", lease.Fence(), next.Fence())
		}
		if err := next.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("a cluster does as well", func(t *testing.T) {
		_, a, b, _ := pair(t, redistest.StartCluster(t).URL)
		lease := acquire(t, a, time.Minute)
		if _, err := b.Acquire(t.Context(), "sweep", time.Minute); !errors.Is(err, oponn.ErrHeld) {
			t.Errorf("the other: %v", err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("it is renewed", func(t *testing.T) {
		_, a, b, _ := pair(t, redistest.URL(t))
		lease := acquire(t, a, 200*time.Millisecond)
		end := time.Now().Add(time.Second)
		until(t, 5*time.Second, "five times its time", func() bool {
			if _, err := b.Acquire(t.Context(), "sweep", time.Second); !errors.Is(err, oponn.ErrHeld) {
				t.Fatalf("the other: %v", err)
			}
			return time.Now().After(end)
		})
		if lost(lease) {
			t.Error("lost")
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("that it was taken away is noticed", func(t *testing.T) {
		url := redistest.URL(t)
		_, a, b, namespace := pair(t, url)
		lease := acquire(t, a, 300*time.Millisecond)
		if n := redistest.Client(t, url).Del(t.Context(), namespace+":lock:sweep").Val(); n != 1 {
			t.Fatalf("%d keys deleted", n)
		}
		next := acquire(t, b, time.Minute)
		until(t, time.Second, "lost", func() bool { return lost(lease) })
		if err := lease.Release(t.Context()); !errors.Is(err, oponn.ErrLost) {
			t.Errorf("release: %v", err)
		}
		if err := next.Release(t.Context()); err != nil {
			t.Errorf("the other's lock went with it: %v", err)
		}
	})
	t.Run("without Redis it is lost before its time is over", func(t *testing.T) {
		server := redistest.Start(t)
		_, a, _, _ := pair(t, server.URL)
		begun := time.Now()
		lease := acquire(t, a, 600*time.Millisecond)
		server.Stop(t)
		<-lease.Lost()
		if took := time.Since(begun); took > 600*time.Millisecond {
			t.Errorf("told after %s", took)
		}
	})
	t.Run("without a fence there is no lock", func(t *testing.T) {
		f, a, b, _ := pair(t, redistest.URL(t))
		f.err = errors.New("planted")
		if _, err := a.Acquire(t.Context(), "sweep", time.Minute); !errors.Is(err, f.err) {
			t.Errorf("without a store: %v", err)
		}
		f.err = nil
		if err := acquire(t, b, time.Minute).Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("of many one has it at a time", func(t *testing.T) {
		_, a, b, _ := pair(t, redistest.URL(t))
		var inside, times atomic.Int32
		var all sync.WaitGroup
		end := time.Now().Add(500 * time.Millisecond)
		for n := range 16 {
			locks := []*bus.Locks{a, b}[n%2]
			all.Go(func() {
				for time.Now().Before(end) {
					lease, err := locks.Acquire(context.Background(), "crowd", 5*time.Second)
					if errors.Is(err, oponn.ErrHeld) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					times.Add(1)
					inside.Add(-1)
					if err := lease.Release(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if times.Load() < 10 {
			t.Errorf("only %d times", times.Load())
		}
	})
	t.Run("a time too short is refused", func(t *testing.T) {
		_, a, _, _ := pair(t, redistest.URL(t))
		if _, err := a.Acquire(t.Context(), "sweep", time.Millisecond); err == nil {
			t.Error("taken")
		}
	})
}
