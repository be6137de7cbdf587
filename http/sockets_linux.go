package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// sockets watches the descriptors that streams have taken over, with one
// goroutine for all: it wakes the actor of a viewer who has left, or takes
// again what it is sent. It never touches a descriptor itself.
type sockets struct {
	ending atomic.Bool // all streams are to end

	mu      sync.Mutex
	epoll   *os.File // nil before the first socket
	fd      int      // of epoll
	open    []*socket
	count   int
	turns   int32
	closed  bool
	empty   chan struct{} // set when somebody waits for the last one to go
	stopped chan struct{} // closed when the goroutine has ended
}

// watched is what is worth knowing of a socket, told once each time it comes
// true: edge-triggered, EPOLLOUT comes only after a write that found no room.
const watched = syscall.EPOLLRDHUP | syscall.EPOLLOUT | 1<<31 // EPOLLET

// departed is what says that the peer has left.
const departed = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR

func newSockets() *sockets { return &sockets{} }

// add begins to watch a socket.
func (s *sockets) add(fd int32, k *socket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if s.epoll == nil {
		if err := s.start(); err != nil {
			return err
		}
	}
	s.turns++
	k.turn = s.turns
	for int(fd) >= len(s.open) {
		s.open = append(s.open, nil)
	}
	s.open[fd] = k
	s.count++
	event := syscall.EpollEvent{Events: watched, Fd: fd, Pad: k.turn}
	if err := syscall.EpollCtl(s.fd, syscall.EPOLL_CTL_ADD, int(fd), &event); err != nil {
		return fmt.Errorf("http: watch socket: %w", err)
	}
	return nil
}

// forget ends watching. The kernel does the same when the descriptor is closed.
func (s *sockets) forget(fd int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[fd] = nil
	if s.count--; s.count == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// start starts the goroutine. An epoll descriptor can itself be waited for: so
// the goroutine parks like any other, and ends when the file is closed.
func (s *sockets) start() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		return fmt.Errorf("http: epoll: %w", err)
	}
	s.fd, s.epoll, s.stopped = fd, os.NewFile(uintptr(fd), "epoll"), make(chan struct{})
	raw, err := s.epoll.SyscallConn()
	if err != nil {
		return fmt.Errorf("http: epoll: %w", err)
	}
	go func() {
		defer close(s.stopped)
		s.watch(raw)
	}()
	return nil
}

// watch wakes those to whom something has happened until the file is closed.
func (s *sockets) watch(raw syscall.RawConn) {
	events := make([]syscall.EpollEvent, 256)
	woken := make([]*socket, 0, len(events))
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.EpollWait(int(fd), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		woken = woken[:0]
		s.mu.Lock()
		for _, e := range events[:n] {
			k := s.open[e.Fd]
			if k == nil || k.turn != e.Pad {
				continue // closed meanwhile; the descriptor may be another's
			}
			if e.Events&departed != 0 {
				k.gone.Store(true)
			}
			woken = append(woken, k)
		}
		s.mu.Unlock()
		for _, k := range woken {
			k.stream.Wake()
		}
	}
}

// end has all streams end, those to come too.
func (s *sockets) end() {
	s.ending.Store(true)
	s.wake(func(*socket) {})
}

// wake does something to all sockets and wakes their actors.
func (s *sockets) wake(do func(*socket)) {
	s.mu.Lock()
	var all []*socket
	for _, k := range s.open {
		if k != nil {
			do(k)
			all = append(all, k)
		}
	}
	s.mu.Unlock()
	for _, k := range all {
		k.stream.Wake()
	}
}

// close waits until all streams have ended; when the context ends before, it
// cuts the rest off and returns the context's error.
func (s *sockets) close(ctx context.Context) (err error) {
	select {
	case <-s.whenEmpty():
	case <-ctx.Done():
		err = fmt.Errorf("http: end streams: %w", ctx.Err())
		s.wake(func(k *socket) { k.gone.Store(true) })
	}
	s.mu.Lock()
	epoll := s.epoll
	s.epoll, s.closed = nil, true
	s.mu.Unlock()
	if epoll == nil {
		return err
	}
	err = errors.Join(err, epoll.Close())
	<-s.stopped
	return err
}

// whenEmpty returns a channel that is closed when there is no socket.
func (s *sockets) whenEmpty() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	empty := make(chan struct{})
	if s.count == 0 {
		close(empty)
	} else {
		s.empty = empty
	}
	return empty
}
