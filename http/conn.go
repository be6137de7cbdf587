package http

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
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
//     streams see to their connections themselves. So that read waits for its
//     end without asking the system.
//
// It relies on net/http reading ahead with a buffer of one byte, and ending
// that read by a deadline in the past.
type conn struct {
	net.Conn // a *net.TCPConn, without its shortcuts around Write

	mu      sync.Mutex
	read    deadline
	write   deadline
	reading bool // from the system
	// ahead is not nil while a read ahead waits; it is closed to end that.
	ahead  chan struct{}
	closed bool
}

// deadline is one that was asked for, and the one that is set.
type deadline struct{ asked, set time.Time }

// past says whether it has passed; never when none was asked for.
func (d *deadline) past() bool { return !d.asked.IsZero() && !time.Now().Before(d.asked) }

// ask notes a deadline and says whether it has to be set now: unless one is
// set that comes earlier, and that hasn't passed.
func (d *deadline) ask(t time.Time) bool {
	d.asked = t
	switch {
	case d.set.IsZero():
		return !t.IsZero()
	case !t.IsZero() && t.Before(d.set):
		return true
	default:
		return !time.Now().Before(d.set)
	}
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := c.read.ask(t)
	if c.ahead != nil && c.read.past() {
		c.endAhead()
		return nil
	}
	if !set || !c.reading && c.read.past() {
		return nil // the next read will find it
	}
	c.read.set = t
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) endAhead() {
	if c.ahead != nil {
		close(c.ahead)
		c.ahead = nil
	}
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.write.ask(t) {
		return nil
	}
	c.write.set = t
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn. It is what net/http does last before it
// hands the connection over.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read, c.write = deadline{t, t}, deadline{t, t}
	if c.read.past() {
		c.endAhead()
	}
	return c.Conn.SetDeadline(t)
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 1 {
		return 0, c.waitAhead()
	}
	for {
		if err := c.beginRead(); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(b)
		if again := c.endRead(err); !again || n > 0 {
			return n, err
		}
	}
}

// waitAhead waits for a deadline in the past, or for the connection's end.
func (c *conn) waitAhead() error {
	c.mu.Lock()
	if c.closed || c.read.past() {
		c.mu.Unlock()
		return os.ErrDeadlineExceeded
	}
	end := make(chan struct{})
	c.ahead = end
	c.mu.Unlock()
	<-end
	return os.ErrDeadlineExceeded
}

// beginRead says that a read of the system begins, unless its deadline has
// passed.
func (c *conn) beginRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.past() {
		return os.ErrDeadlineExceeded
	}
	c.reading = true
	return nil
}

// endRead says that it has ended, and whether that was too early.
func (c *conn) endRead(err error) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	return c.read.early(err, c.Conn.SetReadDeadline)
}

// early says whether an error is that of a deadline which nobody asks for any
// more, and then sets the right one.
func (d *deadline) early(err error, set func(time.Time) error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || d.past() {
		return false
	}
	d.set = d.asked
	return set(d.set) == nil
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (written int, err error) {
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if err == nil {
			return written, nil
		}
		c.mu.Lock()
		again := c.write.early(err, c.Conn.SetWriteDeadline)
		c.mu.Unlock()
		if !again {
			return written, err
		}
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.endAhead()
	c.mu.Unlock()
	return c.Conn.Close()
}

// plain wraps a listener's TCP connections.
type plain struct{ net.Listener }

// Accept implements net.Listener.
func (l plain) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if tcp, ok := accepted.(*net.TCPConn); ok {
		return &conn{Conn: tcp}, err
	}
	return accepted, err
}
