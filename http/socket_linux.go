package http

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/rawconn"
)

// canTakeOver says whether streams can write to descriptors of their own.
const canTakeOver = true

// Options of a stream's socket that the package syscall has no names for.
const (
	tcpUserTimeout  = 18
	tcpNotSentLowat = 25
)

const (
	// maxUnsent is how much may wait in the kernel for a viewer's window, in
	// bytes: frames are state, and an old one is worth nothing.
	maxUnsent = 16 << 10
	// maxUnread is how much a viewer may send us, who has nothing to say.
	maxUnread = 4 << 10
	// peerTimeout is how long what was sent may go without a word from the
	// peer. With a heartbeat every 15 s one that has vanished is noticed within
	// 30 s.
	peerTimeout = 12 * time.Second
)

// socket is the sink of a viewer whose connection was taken over: it writes to
// the descriptor itself, without goroutine and buffer, and keeps at most the
// rest of what it has begun and one frame. Only the viewer's actor calls it,
// and nobody else writes to the descriptor or closes it.
type socket struct {
	server  *Server
	dialect *dialect
	// What follows is set before the descriptor is handed over.
	seat    *seat
	stream  oponn.Stream
	begin   int64 // when the request came, in Unix nanoseconds
	request string

	// handed is the descriptor from when the handler has taken it until it is
	// closed; before, and after, noDescriptor and closed.
	handed atomic.Int32
	gone   atomic.Bool // the peer has left, says sockets
	turn   int32       // tells it from others that have had the same descriptor

	attached bool // it has the descriptor
	parting  bool // the farewell is in rest
	broken   bool // a write has failed
	gathers  bool // see gather
	end      oponn.EndReason
	rest     []byte       // of what was begun
	next     *oponn.Frame // the latest that was not
	shown    uint64       // the version of the latest that was begun
	taken    uint64       // bytes
}

// States of a socket without descriptor.
const (
	noDescriptor = 0
	closed       = -1
)

// streamDirectly opens a stream and takes over its connection. It leaves the
// seat when that fails; else that is done when the stream ends.
func (s *Server) streamDirectly(c echo.Context, id oponn.BallotID, d *dialect, conn *net.TCPConn, place *seat) error {
	k := &socket{server: s, dialect: d, begin: time.Now().UnixNano()}
	stream, err := s.watch(c, id, d, k)
	if err != nil {
		place.leave()
		return err
	}
	defer stream.Wake()
	streamHeader(c.Response().Header())
	fd, err := takeOver(c, conn)
	if err != nil {
		k.handed.Store(closed)
		place.leave()
		return err
	}
	k.seat, k.stream, k.rest = place, stream, append(s.responseHead(c.Response().Header()), d.hello(time.Now())...)
	k.request = c.Response().Header().Get(headerRequestID)
	if !k.handed.CompareAndSwap(noDescriptor, int32(fd)) { // the actor has given up before
		_ = syscall.Close(fd)
		place.leave()
	}
	return nil
}

// takeOver takes a request's connection from net/http and returns a descriptor
// that is ours alone. Nothing of the connection's other state stays behind.
func takeOver(c echo.Context, conn *net.TCPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("http: take over: %w", err)
	}
	if _, _, err := http.NewResponseController(c.Response().Writer).Hijack(); err != nil {
		return 0, fmt.Errorf("http: take over: %w", err)
	}
	c.Response().Status, c.Response().Committed = http.StatusOK, true
	c.Set(takenOver, true)
	// With the original goes what the runtime's poller knows of the socket.
	controlErr := raw.Control(func(original uintptr) {
		if fd, err = rawconn.Duplicate(int(original)); err == nil {
			tune(fd)
		}
	})
	if err = errors.Join(controlErr, err, conn.Close()); err != nil && fd > 0 {
		_ = syscall.Close(fd)
	}
	return fd, err
}

// tune bounds what a viewer can cost. Where an option is unknown, it costs
// more.
func tune(fd int) {
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpNotSentLowat, maxUnsent)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpUserTimeout, int(peerTimeout.Milliseconds()))
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, maxUnread)
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 0) // the heartbeat does that
}

// responseHead is the head of the answer, as net/http would have written it.
func (s *Server) responseHead(h http.Header) []byte {
	h.Set("Connection", "close")
	return append(appendHead(nil, http.StatusOK, h, s.date.at(time.Now())), "\r\n"...)
}

// Offer implements oponn.Sink.
func (k *socket) Offer(frame *oponn.Frame) {
	if !k.attached || len(k.rest) > 0 {
		if k.next != nil {
			k.count().conflated.Add(1)
		}
		k.next = frame
		return
	}
	k.start(frame)
	k.send()
}

// start begins with a frame: what is sent next is its beginning.
func (k *socket) start(frame *oponn.Frame) {
	k.count().frames.Add(1)
	k.rest, k.shown = news(frame, k.shown), frame.Version
	if frame.Soon != k.gathers {
		k.gathers = frame.Soon
		gather(int(k.handed.Load()), k.gathers)
	}
}

// gather has the system send at once what it is given, or wait while the viewer
// has not said that what was sent before has come (Nagle's algorithm, RFC 896).
// Frames that come within milliseconds then share segments, which are most of
// what they cost.
func gather(fd int, on bool) {
	noDelay := 1
	if on {
		noDelay = 0
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, noDelay) // else it costs more
}

// Beat implements oponn.Sink. Whoever has not taken the last bytes needs none.
func (k *socket) Beat() {
	if k.attached && len(k.rest) == 0 && k.end == "" {
		k.rest = k.dialect.heartbeat(time.Now())
		k.send()
	}
}

// End implements oponn.Sink.
func (k *socket) End(reason oponn.EndReason) {
	if k.end == "" {
		k.end = reason
	}
}

// Flush implements oponn.Sink.
func (k *socket) Flush() oponn.Progress {
	if !k.attached && !k.attach() {
		return oponn.Progress{Waiting: true, Done: k.handed.Load() == closed}
	}
	if k.server.sockets.ending.Load() {
		k.End(oponn.EndDraining)
	}
	for k.step() {
	}
	if k.gone.Load() || k.broken || k.parting && len(k.rest) == 0 {
		k.Close()
		return oponn.Progress{Done: true}
	}
	return oponn.Progress{Taken: k.taken, Waiting: len(k.rest) > 0}
}

// attach takes the descriptor if it is there.
func (k *socket) attach() bool {
	fd := k.handed.Load()
	if fd <= 0 {
		return false
	}
	k.attached = true
	if k.server.sockets.add(fd, k) != nil {
		k.broken = true
	}
	return true
}

// step sends the next thing there is; false when nothing is left, or can't be
// sent now.
func (k *socket) step() bool {
	switch {
	case k.broken:
		return false
	case len(k.rest) > 0:
	case k.next != nil:
		k.start(k.next)
		k.next = nil
	case k.end != "" && !k.parting:
		k.rest, k.parting = k.dialect.farewell(k.end, time.Second), true
	default:
		return false
	}
	return k.send()
}

// send sends what it can of the rest, in one piece; false when some is left.
// The runtime's poller knows nothing of the descriptor: no call ever waits.
func (k *socket) send() bool {
	for {
		n, err := rawconn.Send(int(k.handed.Load()), k.rest)
		switch {
		case err == nil && n == len(k.rest):
			k.took(n)
			k.rest = nil
			return true
		case err == nil:
			k.took(n)
			k.rest = k.rest[n:] // the next call says why, and asks to be woken
		case errors.Is(err, syscall.EAGAIN):
			return false
		case !errors.Is(err, syscall.EINTR):
			k.broken = true
			k.stream.Wake() // to be closed
			return false
		}
	}
}

// took counts bytes that the system has taken.
func (k *socket) took(n int) {
	k.taken += uint64(n)
	k.count().bytes.Add(uint64(n))
}

// count is where to count what the viewer is sent.
func (k *socket) count() *cell { return k.server.meters.sent.by(k.turn) }

// Close implements oponn.Sink. Sockets forgets the descriptor before its
// number can be another connection's.
func (k *socket) Close() {
	fd := k.handed.Swap(closed)
	if fd <= 0 {
		return // the rest may be the handler's still
	}
	k.rest, k.next = nil, nil
	k.server.logStream(k.dialect, time.Unix(0, k.begin), k.request)
	k.seat.leave()
	if k.attached {
		k.server.sockets.forget(fd)
	}
	discardInput(int(fd))
	_ = syscall.Close(int(fd))
}

// discardInput reads what the peer has sent: closing with something unread
// would reset the connection, and with it what the peer has not read yet.
func discardInput(fd int) {
	var some [1 << 10]byte
	for range maxUnread/len(some) + 1 {
		if n, err := syscall.Read(fd, some[:]); n <= 0 || err != nil {
			return
		}
	}
}
