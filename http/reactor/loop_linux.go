package reactor

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/oponn/oponn/http/rawconn"
)

// loop looks after a share of the connections: one goroutine reads, one writes
// the answers that came later.
type loop struct {
	epoll  *os.File
	fd     int // of epoll
	idle   time.Duration
	failed func(reason any)

	mu        sync.Mutex
	residents map[int32]*Resident // by descriptor
	closed    bool

	answering sync.Mutex
	answered  []*Resident
	ready     chan struct{} // has an entry while there are some
}

// arrivals is what is worth knowing of a socket, told once each time it comes
// true: edge-triggered.
const arrivals = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<31 // EPOLLET

// ended is what says that there is an end, after what can be read.
const ended = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR

// most is the most that is read at once, in bytes.
const most = 4 << 10

// newLoop starts a loop. An epoll descriptor can itself be waited for: so the
// goroutine parks like any other, and ends when the file is closed.
func newLoop(cfg Config) (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("reactor: epoll: %w", err)
	}
	l := &loop{fd: fd, epoll: os.NewFile(uintptr(fd), "epoll"), idle: cfg.Idle, failed: cfg.Failed, residents: make(map[int32]*Resident), ready: make(chan struct{}, 1)}
	raw, err := l.epoll.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reactor: epoll: %w", err), l.epoll.Close())
	}
	go l.read(raw)
	go l.write()
	return l, nil
}

// add begins to look after a connection. What has arrived before counts as
// arriving then.
func (l *loop) add(k *Resident) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	event := syscall.EpollEvent{Events: arrivals, Fd: int32(k.fd)}
	if err := syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_ADD, k.fd, &event); err != nil {
		return fmt.Errorf("reactor: watch socket: %w", err)
	}
	l.residents[int32(k.fd)] = k
	return nil
}

// forget ends that. What was told of the descriptor before is harmless to
// another that gets its number.
func (l *loop) forget(k *Resident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.residents, int32(k.fd))
	_ = syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_DEL, k.fd, nil) // the loop may be closed
	if l.closed && len(l.residents) == 0 {
		l.wake()
	}
}

// read serves what arrives until the file is closed. It never leaves the wait
// for it, so that there is no need to look whether something came before.
func (l *loop) read(raw syscall.RawConn) {
	buffer := make([]byte, most)
	events := make([]syscall.EpollEvent, 256)
	woken := make([]*Resident, 0, len(events))
	_ = raw.Read(func(fd uintptr) bool {
		for n := len(events); n == len(events); {
			n, _ = rawconn.Ready(int(fd), events)
			woken = l.rouse(woken[:0], events[:n])
			for _, k := range woken {
				k.serve(buffer)
			}
			clear(woken)
		}
		return false
	})
}

// rouse appends those whose work begins by these events.
func (l *loop) rouse(woken []*Resident, events []syscall.EpollEvent) []*Resident {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if k := l.residents[e.Fd]; k != nil && k.arrived(e.Events&ended != 0) {
			woken = append(woken, k)
		}
	}
	return woken
}

// write writes answers as they become ready, until the loop is closed and
// nobody is left to get one.
func (l *loop) write() {
	buffer := make([]byte, most)
	var batch []*Resident
	for range l.ready {
		l.answering.Lock()
		batch, l.answered = l.answered, batch[:0]
		l.answering.Unlock()
		for _, k := range batch {
			k.finish(buffer)
		}
		clear(batch)
		if l.done() {
			return
		}
	}
}

// done says whether nothing will come any more.
func (l *loop) done() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed && len(l.residents) == 0
}

// answer queues a connection whose answer is ready.
func (l *loop) answer(k *Resident) {
	l.answering.Lock()
	l.answered = append(l.answered, k)
	first := len(l.answered) == 1
	l.answering.Unlock()
	if first {
		l.wake()
	}
}

func (l *loop) wake() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// overdue makes those connections work that have rested for too long.
func (l *loop) overdue(now time.Time) (claimed []*Resident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.residents {
		if k.claim(now) {
			claimed = append(claimed, k)
		}
	}
	return claimed
}

// close cuts the connections and has the goroutines end.
func (l *loop) close() error {
	l.mu.Lock()
	l.closed = true
	all := slices.Collect(maps.Values(l.residents))
	l.mu.Unlock()
	for _, k := range all {
		k.Cut()
	}
	l.wake()
	if err := l.epoll.Close(); err != nil {
		return fmt.Errorf("reactor: %w", err)
	}
	return nil
}
