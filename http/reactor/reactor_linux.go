package reactor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/oponn/oponn/http/rawconn"
)

// Reactor looks after connections. It starts its goroutines with the first one.
// It is safe for concurrent use.
type Reactor struct {
	cfg Config

	mu      sync.Mutex
	loops   []*loop
	next    int
	closed  bool
	sweeper *time.Ticker
	over    chan struct{}
}

// New returns a reactor without connections.
func New(cfg Config) *Reactor {
	if cfg.Loops == 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	return &Reactor{cfg: cfg, over: make(chan struct{})}
}

// Admit takes a connection over, and closes the original: what is read of it
// from now on goes to the server, until it departs. It is nil when the
// connection can't be taken, which then stays as it is.
func (r *Reactor) Admit(conn *net.TCPConn, terms Terms, server Server) *Resident {
	l, err := r.choose()
	if err != nil {
		return nil
	}
	fd, err := duplicate(conn)
	if err != nil {
		return nil
	}
	k := &Resident{loop: l, fd: fd, terms: terms, server: server, last: time.Now(), patience: r.cfg.Idle}
	if terms.First > 0 {
		k.patience = terms.First
	}
	k.answered = k.decided
	if err := l.add(k); err != nil {
		_ = syscall.Close(fd)
		return nil
	}
	// With the original goes what the runtime's poller knows of the socket.
	_ = conn.Close()
	return k
}

// choose returns the loop whose turn it is.
func (r *Reactor) choose() (*loop, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	if r.loops == nil {
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	r.next++
	return r.loops[r.next%len(r.loops)], nil
}

// sweeps is how long a silent connection may outstay its time at most.
const sweeps = 2 * time.Second

// start starts the loops.
func (r *Reactor) start() error {
	var loops []*loop
	for range r.cfg.Loops {
		l, err := newLoop(r.cfg)
		if err != nil {
			for _, l := range loops {
				_ = l.close()
			}
			return err
		}
		loops = append(loops, l)
	}
	r.loops, r.sweeper = loops, time.NewTicker(max(min(r.cfg.Idle/8, sweeps), time.Millisecond))
	go r.sweep()
	return nil
}

// sweep has those leave of whom nothing came for too long.
func (r *Reactor) sweep() {
	defer r.sweeper.Stop()
	for {
		select {
		case now := <-r.sweeper.C:
			for _, l := range r.loops {
				for _, k := range l.overdue(now) {
					k.leave(Departure{Err: os.ErrDeadlineExceeded})
				}
			}
		case <-r.over:
			return
		}
	}
}

// Close cuts the connections that are left, and ends the loops. Requests that
// are not answered yet have nobody to be answered to.
func (r *Reactor) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	close(r.over)
	var err error
	for _, l := range r.loops {
		err = errors.Join(err, l.close())
	}
	return err
}

// duplicate returns a descriptor of our own for a connection's socket.
func duplicate(conn *net.TCPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("reactor: %w", err)
	}
	var failed error
	if err = raw.Control(func(original uintptr) { fd, failed = rawconn.Duplicate(int(original)) }); err == nil {
		err = failed
	}
	if err != nil {
		return 0, fmt.Errorf("reactor: %w", err)
	}
	return fd, nil
}
