package http

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/oponn/oponn/http/rawconn"
	"github.com/oponn/oponn/http/reactor"
)

// conn is a plain TCP connection that serves requests for less. net/http does
// two things to it with every request, which a hot ballot pays for ten thousand
// times a second:
//
//   - It moves deadlines, some seven times. Here they are noted; the timer of
//     the system is set when there is none that comes earlier, and when one
//     comes too early it is set once more.
//   - It reads one byte ahead while a handler works, to find out that the peer
//     has left. Nothing here wants to know: a vote that has come is cast, and
//     streams see to their connections themselves. So that read ends at once,
//     with nothing.
//
// It relies on net/http reading ahead into a buffer of one byte of its own, and
// bearing such a read that brings neither a byte nor an error.
//
// Votes that programs send one after the other don't get as far as net/http.
// Most are answered by the reactor before there is such a connection (see door);
// those that come on it are answered while net/http waits for the next request
// (see fastPath), from the second on by the reactor again (see pending).
type conn struct {
	net.Conn // of package rawconn, over a *net.TCPConn: it has no shortcuts around Write

	// buffer is what was last read into, to its end; size, the most there was.
	buffer []byte
	size   int

	arrived []byte // what was read of it before, and is read first

	at     place
	server *Server // nil: there is no fast path
	fast   *fastPath
	visits int // to the reactor

	mu          sync.Mutex
	read, write deadline
	resident    *reactor.Resident // while the reactor looks after the connection
	closed      bool
}

// place is where net/http stands with a connection. After a request it says
// that the connection is idle and sets the deadline for the next one; then it
// waits; when it has the first bytes, of which some may have been sent ahead, it
// sets another deadline. What is read while it waits begins a request.
type place int8

const (
	within place = iota // a request
	idle
	waiting
)

// idles is told by net/http of what becomes of its connections.
func idles(c net.Conn, state http.ConnState) {
	if c, ok := c.(*conn); ok {
		if c.at = within; state == http.StateIdle {
			c.at = idle
		}
	}
}

// deadline is one that was asked for, and the one that is set.
type deadline struct{ asked, set time.Time }

// ask notes a deadline and says whether it has to be set now: unless one is set
// that comes earlier.
func (d *deadline) ask(t time.Time) bool {
	d.asked = t
	if t.IsZero() || !d.set.IsZero() && !t.Before(d.set) {
		return false
	}
	d.set = t
	return true
}

// early says whether an error is that of a deadline which nobody asks for any
// more, and then sets the right one.
func (d *deadline) early(err error, set func(time.Time) error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || !d.asked.IsZero() && !time.Now().Before(d.asked) {
		return false
	}
	d.set = d.asked
	return set(d.set) == nil
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.at == idle {
		c.at = waiting
	} else {
		c.at = within
	}
	return c.readBy(t)
}

// readBy moves the deadline.
func (c *conn) readBy(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.read.ask(t) {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.write.ask(t) {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn. It is what net/http does last before it
// hands the connection over.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read, c.write = deadline{t, t}, deadline{t, t}
	return c.Conn.SetDeadline(t)
}

// ahead says whether a read is one ahead: its buffer has one byte, which is not
// the last byte of the buffer that requests are read into.
func (c *conn) ahead(b []byte) bool {
	return cap(b) == 1 && len(b) == 1 && len(c.buffer) > 0 && &b[0] != &c.buffer[len(c.buffer)-1]
}

// Read implements net.Conn. Like net/http, it must not be called from several
// goroutines at a time.
func (c *conn) Read(b []byte) (int, error) {
	if c.ahead(b) {
		return 0, nil
	}
	c.buffer, c.size = b[:cap(b)], max(c.size, len(b))
	if len(c.arrived) > 0 {
		n := copy(b, c.arrived)
		c.arrived, c.at = c.arrived[n:], within
		return n, nil
	}
	for {
		n, err := c.arrive(b)
		if err != nil || c.server == nil || !c.between(b) || !bytes.HasPrefix(b[:n], []byte(voteHeadBegin)) {
			c.at = within
			return n, err
		}
		if c.fast == nil {
			c.fast = newFastPath(c.server, c.RemoteAddr().String())
			c.fast.conn = c
		}
		served, err := c.fast.serve(b[:n])
		switch {
		case err != nil:
			return 0, err
		case !served:
			c.at = within
			return n, nil
		}
		if n, err = c.visit(b); n > 0 || err != nil {
			c.at = within
			return n, err
		}
	}
}

// maxVisits is how often a connection goes to the reactor: each return costs
// more than a vote, and who sends other things in between is better off here.
const maxVisits = 4

// visit has the reactor look after the connection, until something comes that
// is not for it, which is read then. Without that or an error it goes on here.
func (c *conn) visit(b []byte) (n int, err error) {
	tcp := c.tcp()
	if tcp == nil || c.visits == maxVisits {
		return 0, nil
	}
	c.visits++
	if c.fast.pending == nil {
		c.fast.pending = newPending(c.fast)
	}
	c.fast.answer.pending = c.fast.pending
	defer func() { c.fast.answer.pending = nil }()
	departs := make(chan reactor.Departure, 1)
	terms := reactor.Terms{Most: len(b), Departed: func(d reactor.Departure) { departs <- d }}
	c.mu.Lock()
	if !c.closed {
		c.resident = c.server.reactor.Admit(tcp, terms, c.fast.pending)
	}
	resident := c.resident
	c.mu.Unlock()
	if resident == nil {
		return 0, nil
	}
	departure := <-departs
	if departure.Err != nil {
		return 0, departure.Err
	}
	if err := c.back(departure); err != nil {
		return 0, err
	}
	if len(departure.Unsent) > 0 {
		if _, err := c.Write(departure.Unsent); err != nil {
			return 0, err
		}
	}
	return copy(b, departure.Arrived), nil
}

// back goes on with a connection that the reactor has given back.
func (c *conn) back(departure reactor.Departure) error {
	tcp, err := departure.Conn()
	if err != nil {
		return err //nolint:wrapcheck // it says where it is from
	}
	now := time.Now()
	c.mu.Lock()
	c.Conn, c.resident, c.read, c.write = rawconn.Over(tcp), nil, deadline{}, deadline{}
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return errors.Join(net.ErrClosed, tcp.Close())
	}
	return errors.Join(c.readBy(now.Add(c.server.http.IdleTimeout)), c.SetWriteDeadline(now.Add(c.server.http.WriteTimeout)))
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.resident != nil {
		c.resident.Cut()
		return nil
	}
	return c.Conn.Close()
}

// tcp returns the connection as it is now, and nil for another kind.
func (c *conn) tcp() *net.TCPConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	tcp, _ := rawconn.Under(c.Conn).(*net.TCPConn)
	return tcp
}

// between says whether what is read begins a request: net/http waits for one,
// and its buffer is all there, so that it has no byte of it.
func (c *conn) between(b []byte) bool { return c.at == waiting && len(b) == c.size }

// arrive reads from the connection itself.
func (c *conn) arrive(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if n > 0 || err == nil || !c.again(&c.read, err, c.Conn.SetReadDeadline) {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (written int, err error) {
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if err == nil || !c.again(&c.write, err, c.Conn.SetWriteDeadline) {
			return written, err
		}
	}
}

// again says whether what ended by a deadline shall go on.
func (c *conn) again(d *deadline, err error, set func(time.Time) error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return d.early(err, set)
}
