package wire

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// plain is a kept connection that speaks HTTP/1.1 without TLS.
type plain struct {
	ctx    context.Context
	dialer *Dialer
	addr   string

	mu   sync.Mutex // for the watchdog, which looks at conn
	conn *net.TCPConn
	raw  syscall.RawConn
	// since is when the exchange began, on the clock of time.Now; zero for none.
	since atomic.Int64
	// timed says that the watchdog ended the exchange.
	timed atomic.Bool

	exchange
}

// exchange is the state of the one that is under way.
type exchange struct {
	// step is the method value of advance, made once.
	step     func(fd uintptr) bool
	out      []byte // the request
	sent     int
	in       []byte // what has come of the answer
	have     int
	response *Response
	took     int // length of the answer; zero until it is there
	err      error
}

func newPlain(ctx context.Context, d *Dialer) *plain {
	c := &plain{ctx: ctx, dialer: d, addr: d.Target.Host, exchange: exchange{in: make([]byte, 4<<10)}}
	if d.Target.Port() == "" {
		c.addr = net.JoinHostPort(d.Target.Hostname(), "80")
	}
	c.step = c.advance
	d.Watch.add(c)
	return c
}

// Exchange implements Conn.
func (c *plain) Exchange(request *Request, response *Response) error {
	c.out = appendRequest(c.out[:0], c.dialer.Target.Host, request)
	if err := c.connect(); err != nil {
		return err
	}
	c.begin(response)
	c.since.Store(time.Now().UnixNano())
	err := context.Canceled
	if !c.dialer.Watch.over.Load() { // asked after since was set: either we see it, or the watchdog sees us
		if err = c.run(c.conn, c.raw); err == nil {
			err = c.err
		}
	}
	c.since.Store(0)
	if err != nil || c.spent() {
		c.drop()
	}
	if err != nil && c.timed.Swap(false) {
		return fmt.Errorf("wire: no answer within %v: %w", c.dialer.Patience, context.DeadlineExceeded)
	}
	return err
}

func (c *plain) connect() error {
	if c.conn != nil {
		return nil
	}
	tcp, raw, err := c.dial(c.ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.raw = tcp, raw
	c.timed.Store(false)
	return nil
}

func (c *plain) dial(ctx context.Context) (*net.TCPConn, syscall.RawConn, error) {
	dialer := net.Dialer{Timeout: c.dialer.Patience, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, nil, unsentError{fmt.Errorf("wire: %w", err)}
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, nil, unsentError{fmt.Errorf("wire: %s is no TCP address", c.addr)}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, nil, unsentError{fmt.Errorf("wire: %w", err)}
	}
	return tcp, raw, nil
}

func (c *plain) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn, c.raw = nil, nil
	}
}

// Close implements Conn.
func (c *plain) Close() {
	c.dialer.Watch.remove(c)
	c.drop()
}

// end ends the exchange that is under way since before the given time.
func (c *plain) end(before int64) {
	since := c.since.Load()
	if since == 0 || since > before {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil && c.since.Load() == since {
		c.timed.Store(true)
		_ = c.conn.SetDeadline(time.Unix(1, 0))
	}
}

// begin makes the exchange one that nothing has happened in yet.
func (e *exchange) begin(response *Response) {
	e.sent, e.have, e.took, e.err, e.response = 0, 0, 0, nil, response
}

// spent says that the connection can't be used for another exchange. More than
// was asked for means that the two sides don't agree.
func (e *exchange) spent() bool { return e.err != nil || e.response.close || e.have > e.took }

// room makes room in the buffer for what comes.
func (e *exchange) room() bool {
	if e.have == len(e.in) {
		if len(e.in) > MaxResponse {
			e.err = errTooLarge
			return false
		}
		e.in = append(e.in, make([]byte, len(e.in))...)
	}
	return true
}

// received takes n more bytes, none at the end, and says whether the exchange
// is over.
func (e *exchange) received(n int) (over bool) {
	e.have += n
	e.took, e.err = e.response.parse(e.in[:e.have], n == 0)
	if n == 0 && e.took == 0 && e.err == nil {
		e.err = errEnded
	}
	return e.took > 0 || e.err != nil
}
