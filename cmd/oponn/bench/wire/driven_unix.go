//go:build unix

package wire

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Driven is a kept connection over plain HTTP/1.1 whose owner waits for it by
// its descriptor, among many others: but for Connect, nothing blocks. It has no
// watchdog; the owner keeps to Patience. It is not safe for concurrent use.
type Driven struct {
	plain *plain
	fd    int // -1: not connected
	// asked says that an exchange is under way.
	asked bool
}

// Drive makes a connection that has never been used a driven one. Once that is
// used, the first one is only to be closed; the context it was made with has no
// say over the driven one. A connection over TLS can't be driven.
func Drive(c Conn) (*Driven, bool) {
	p, ok := c.(*plain)
	if !ok {
		return nil, false
	}
	return &Driven{plain: p, fd: -1}, true
}

// Patience bounds one exchange.
func (d *Driven) Patience() time.Duration { return d.plain.dialer.Patience }

// FD returns the descriptor, or -1 when the connection isn't open: any method
// may close it. It may stay readable only until Ready is called.
func (d *Driven) FD() int { return d.fd }

// Asked says whether an exchange is under way.
func (d *Driven) Asked() bool { return d.asked }

// Connect opens the connection, within Patience. It may be called from another
// goroutine while the owner leaves the connection alone. Unsent reports true
// for its errors.
func (d *Driven) Connect(ctx context.Context) error {
	conn, raw, err := d.plain.dial(ctx)
	if err != nil {
		return err
	}
	// A descriptor of our own: the runtime's poller, which would be woken for
	// each answer too, lets go of the one that it knows.
	defer conn.Close()
	var failed error
	err = raw.Control(func(fd uintptr) { d.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = failed
	}
	if err != nil {
		d.fd = -1
		return unsentError{fmt.Errorf("wire: %w", err)}
	}
	return nil
}

// Begin sends a request over an open connection. The exchange is over when
// Ready says so, or with an error.
func (d *Driven) Begin(request *Request, response *Response) error {
	d.plain.out = appendRequest(d.plain.out[:0], d.plain.dialer.Target.Host, request)
	d.plain.begin(response)
	d.asked = true
	if !d.plain.write(d.fd) {
		return d.end()
	}
	return nil
}

// Ready takes what has come, when the descriptor is readable. It says whether
// that ends an exchange, with an error or an answer. What comes when nothing was
// asked for closes the connection; mostly it is the server's end of it.
func (d *Driven) Ready() (over bool, err error) {
	if !d.asked {
		d.Close()
		return false, nil
	}
	if !d.plain.advance(uintptr(d.fd)) {
		return false, nil
	}
	return true, d.end()
}

func (d *Driven) end() error {
	d.asked = false
	if d.plain.spent() {
		d.Close()
	}
	return d.plain.err
}

// Abort ends what is under way and closes the connection. It returns the cause
// as the error of the exchange; Unsent reports true for it if none was begun.
func (d *Driven) Abort(cause error) error {
	err := fmt.Errorf("wire: %w", cause)
	if !d.asked {
		err = unsentError{err}
	}
	d.Close()
	return err
}

// Close closes the connection. It may be opened again.
func (d *Driven) Close() {
	d.asked = false
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
		d.fd = -1
	}
}
