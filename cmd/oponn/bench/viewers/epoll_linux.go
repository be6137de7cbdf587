package viewers

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// stream is a viewer with its connection.
type stream struct {
	viewer
	parser Parser
	index  int32
	fd     int32 // -1: none
	linked bool  // connected, and the request is sent
	open   bool  // the answer is a stream
}

// loop serves all viewers of a process from one goroutine.
type loop struct {
	config  Config
	hosts   []string
	addrs   []unix.Sockaddr
	sources []unix.Sockaddr

	epoll   int
	streams []stream
	due     queue // who is to connect, and when
	notes   *notes
	buffer  []byte
	request []byte
	// current is the stream whose bytes are parsed, at the time now.
	current *stream
	now     int64
	leave   bool // current is to be closed, after a word of the server
	emit    func(Message)

	watching int
	gone     int

	progress atomic.Pointer[Progress]
	final    atomic.Pointer[[]uint64]
	stopping atomic.Bool
	done     chan struct{}
	err      error
	result   *Result
}

// tick is the longest sleep of the loop.
const tick = 20 * time.Millisecond

func gatherCheap(ctx context.Context, c Config) (Crowd, error) {
	l := &loop{config: c, buffer: make([]byte, 64<<10), done: make(chan struct{})}
	l.notes, l.emit = newNotes(&l.config), l.hear
	for _, target := range c.Targets {
		addr, host, err := resolve(ctx, target)
		if err != nil {
			return nil, err
		}
		l.hosts, l.addrs = append(l.hosts, host), append(l.addrs, sockaddr(addr))
	}
	for _, source := range c.Sources {
		addr, err := netip.ParseAddr(source)
		if err != nil {
			return nil, err
		}
		l.sources = append(l.sources, sockaddr(netip.AddrPortFrom(addr, 0)))
	}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("viewers: epoll: %w", err)
	}
	l.streams = make([]stream, c.Viewers)
	for i := range l.streams {
		s := &l.streams[i]
		s.viewer, s.index, s.fd = newViewer(&l.config, i), int32(i), -1
		l.due = append(l.due, wait{s.due, int32(i)})
	}
	heap.Init(&l.due)
	l.tell(-1)
	go l.run(ctx)
	return l, nil
}

// resolve returns the address of a target, and its host as requests name it.
func resolve(ctx context.Context, target string) (netip.AddrPort, string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return netip.AddrPort{}, "", err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if u.Port() == "" {
		port, err = 80, nil
	}
	if err != nil {
		return netip.AddrPort{}, "", err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return netip.AddrPort{}, "", err
	}
	addr := addrs[0].Unmap()
	for _, a := range addrs { // localhost: the older family is what servers listen on
		if a.Unmap().Is4() {
			addr = a.Unmap()
			break
		}
	}
	return netip.AddrPortFrom(addr, uint16(port)), u.Host, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	events := make([]unix.EpollEvent, 512)
	told, behind := int64(0), -1
	for !l.stopping.Load() && ctx.Err() == nil {
		n, err := unix.EpollWait(l.epoll, events, l.sleep())
		if err != nil && !errors.Is(err, unix.EINTR) {
			l.err = fmt.Errorf("viewers: epoll: %w", err)
			break
		}
		for _, e := range events[:max(n, 0)] {
			l.serve(int(e.Fd))
		}
		at := now()
		l.connectDue(at)
		if at-told > int64(tick) {
			if final := l.final.Load(); final != nil {
				l.notes.final = *final
				behind = l.behind()
			}
			told = at
			l.tell(behind)
		}
	}
	l.finish()
}

// sleep returns for how many milliseconds nothing is due.
func (l *loop) sleep() int {
	if len(l.due) == 0 {
		return int(tick / time.Millisecond)
	}
	wait := min(time.Duration(l.due[0].at-now()), tick)
	return int(max(wait+time.Millisecond-1, 0) / time.Millisecond)
}

func (l *loop) tell(behind int) {
	l.progress.Store(&Progress{Joined: l.notes.result.Joined, Watching: l.watching, Gone: l.gone,
		Frames: l.notes.result.Frames, Behind: behind})
}

func (l *loop) behind() (n int) {
	for i := range l.streams {
		if l.notes.behind(&l.streams[i].viewer) {
			n++
		}
	}
	return n
}

func (l *loop) finish() {
	if final := l.final.Load(); final != nil {
		l.notes.final = *final
	}
	stale := l.behind()
	l.notes.result.Watching = l.watching
	for i := range l.streams {
		if fd := l.streams[i].fd; fd >= 0 {
			_ = unix.Close(int(fd))
		}
	}
	_ = unix.Close(l.epoll)
	l.tell(stale)
	l.result = l.notes.finish(stale)
}

// connectDue opens the streams whose time has come, a few at once so that
// those that are open are not kept waiting.
func (l *loop) connectDue(at int64) {
	for range 64 {
		if len(l.due) == 0 || l.due[0].at > at {
			return
		}
		next, ok := heap.Pop(&l.due).(wait)
		if !ok {
			return
		}
		if err := l.connect(int(next.stream)); err != nil {
			l.lose(&l.streams[next.stream], lostConnecting)
		}
	}
}

func (l *loop) connect(i int) error {
	s := &l.streams[i]
	addr := l.addrs[s.target]
	family := unix.AF_INET
	if _, ok := addr.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.fd, s.linked, s.parser = int32(fd), false, Parser{}
	if family == unix.AF_INET && len(l.sources) > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) // an optimisation
		if err := unix.Bind(fd, l.sources[(l.config.First+i)%len(l.sources)]); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(i)})
}

// serve does what a stream is ready for.
func (l *loop) serve(i int) {
	s := &l.streams[i]
	if s.fd < 0 {
		return
	}
	if !s.linked {
		if !l.ask(i, s) {
			l.lose(s, lostConnecting)
		}
		return
	}
	n, err := unix.Read(int(s.fd), l.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
	case err != nil || n <= 0:
		l.lose(s, lostBroken)
	default:
		l.read(s, l.buffer[:n])
	}
}

// ask sends the request, once the connection stands.
func (l *loop) ask(i int, s *stream) bool {
	if number, err := unix.GetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil || number != 0 {
		return false
	}
	l.request = s.head(l.request[:0], &l.config, l.hosts[s.target])
	if n, err := unix.Write(int(s.fd), l.request); err != nil || n < len(l.request) {
		return false
	}
	s.linked = true
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, int(s.fd), &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(i)}) == nil
}

// read parses what came.
func (l *loop) read(s *stream, b []byte) {
	l.notes.result.Bytes += int64(len(b))
	l.current, l.now, l.leave = s, now(), false
	err := s.parser.Feed(b, l.emit)
	if !s.open && s.parser.Status == 200 {
		s.open = true
		l.watching++
	}
	switch {
	case errors.Is(err, ErrRefused):
		l.notes.refuse(reason(int(s.parser.Status), b))
		if s.retry = s.parser.RetryAfter * 1000; s.retry > 0 {
			s.retry += rand.Int32N(s.retry) //nolint:gosec // chance is all it has to be
		}
		s.gone = s.parser.Status == 404 || s.parser.Status == 410
		l.lose(s, lostRefused)
	case l.leave:
		l.lose(s, lostTold)
	case errors.Is(err, io.EOF):
		l.lose(s, lostBroken)
	case err != nil:
		l.notes.refuse(err.Error())
		l.lose(s, lostRefused)
	}
}

// hear takes a message to the current viewer.
func (l *loop) hear(m Message) {
	s := l.current
	if m.Retry > 0 {
		s.retry = m.Retry
	}
	switch m.Kind {
	case Frame:
		l.notes.frame(&s.viewer, m.ID, l.now)
	case End, Busy:
		s.gone = m.Kind == End && m.Retry == 0
		if !s.gone {
			l.notes.refuse("told to come back")
		}
		l.leave = true
	case Other:
	}
}

// lose closes a stream and has the viewer come back, unless it has ended for
// good.
func (l *loop) lose(s *stream, why string) {
	if s.fd >= 0 {
		_ = unix.Close(int(s.fd))
		s.fd = -1
	}
	if s.open {
		l.watching--
	}
	s.linked, s.open = false, false
	if !l.notes.lost(&s.viewer, why) {
		l.gone++
		return
	}
	heap.Push(&l.due, wait{now() + int64(s.pause(rand.Int64N)), s.index})
}

// Progress implements Crowd.
func (l *loop) Progress() Progress { return *l.progress.Load() }

// Expect implements Crowd.
func (l *loop) Expect(final []uint64) {
	final = clone(final)
	l.final.Store(&final)
}

// Stop implements Crowd.
func (l *loop) Stop() (*Result, error) {
	l.stopping.Store(true)
	<-l.done
	return l.result, l.err
}
