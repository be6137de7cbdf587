package wire

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Watchdog ends exchanges over plain HTTP that outlast their patience. One
// timer for all costs an exchange two atomic stores, where a deadline of its
// own would move two timers.
type Watchdog struct {
	mu    sync.Mutex
	conns map[*plain]struct{}
	// over says that nothing may begin any more.
	over atomic.Bool
}

// StartWatchdog returns a watchdog that looks around every so often. When the
// context ends, it ends what is under way and lets nothing begin.
func StartWatchdog(ctx context.Context, every time.Duration) *Watchdog {
	w := &Watchdog{conns: map[*plain]struct{}{}}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				w.look(func(c *plain) int64 { return now.Add(-c.dialer.Patience).UnixNano() })
			case <-ctx.Done():
				w.over.Store(true)
				w.look(func(*plain) int64 { return time.Now().UnixNano() })
				return
			}
		}
	}()
	return w
}

func (w *Watchdog) look(before func(*plain) int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.end(before(c))
	}
}

func (w *Watchdog) add(c *plain) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = struct{}{}
}

func (w *Watchdog) remove(c *plain) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
}
