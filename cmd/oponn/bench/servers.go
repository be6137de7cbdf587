package bench

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/procstat"
)

// marks are what the server's processes have used at one moment, by pid.
type marks map[int]procstat.Usage

// watch looks at the server's processes.
type watch struct {
	pids []int
	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	last marks
	most map[int]int64 // memory
}

// watchEvery is how often memory is looked at between the marks.
const watchEvery = 2 * time.Second

func startWatch(pids []int) *watch {
	w := &watch{pids: pids, stop: make(chan struct{}), most: map[int]int64{}}
	if len(pids) == 0 {
		return w
	}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look()
			case <-w.stop:
				return
			}
		}
	})
	return w
}

func (w *watch) end() {
	close(w.stop)
	w.done.Wait()
}

// mark reads what the processes have used.
func (w *watch) mark() (marks, error) {
	m := marks{}
	for _, pid := range w.pids {
		u, err := procstat.Read(pid)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		m[pid] = u
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for pid, u := range m {
		w.most[pid] = max(w.most[pid], u.Memory)
	}
	w.last = m
	return m, nil
}

// look finds out how much memory the processes have, but for what they share:
// that is taken to be as it was at the last mark. To count it would stop them,
// and whoever else shares their processors, for some milliseconds.
func (w *watch) look() {
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	for pid, u := range last {
		now, err := procstat.Anonymous(pid)
		if err != nil {
			continue // the marks at the borders tell when a process has gone
		}
		w.mu.Lock()
		w.most[pid] = max(w.most[pid], u.Memory-u.Anonymous+now)
		w.mu.Unlock()
	}
}

func (w *watch) highest() map[int]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.most)
}
