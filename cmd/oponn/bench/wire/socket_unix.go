//go:build unix

package wire

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/oponn/oponn/http/rawconn"
)

// run sends the request and reads the answer. The request is written inside
// the wait for the answer, when the poller is armed: by the time anything is
// read the answer is there, and no read is tried in vain.
func (e *exchange) run(_ *net.TCPConn, raw syscall.RawConn) error {
	if err := raw.Read(e.step); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	return nil
}

// advance writes or reads what it can, and says whether the exchange is over.
func (e *exchange) advance(fd uintptr) (over bool) {
	if e.sent < len(e.out) {
		return !e.write(int(fd))
	}
	for e.room() {
		n, err := rawconn.Receive(int(fd), e.in[e.have:])
		switch {
		case err == nil:
			if e.received(n) {
				return true
			}
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return false
		default:
			e.err = fmt.Errorf("wire: read: %w", err)
			return true
		}
	}
	return true
}

// write sends the whole request, which is small enough for a socket that has
// nothing else to send.
func (e *exchange) write(fd int) bool {
	for e.sent < len(e.out) {
		n, err := rawconn.Send(fd, e.out[e.sent:])
		if err != nil {
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			e.err = fmt.Errorf("wire: write: %w", err)
			return false
		}
		e.sent += n
	}
	return true
}
