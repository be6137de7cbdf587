//go:build !unix

package wire

import (
	"fmt"
	"io"
	"net"
	"syscall"
)

// run sends the request and reads the answer.
func (e *exchange) run(conn *net.TCPConn, _ syscall.RawConn) error {
	if _, err := conn.Write(e.out); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	for e.room() {
		n, err := conn.Read(e.in[e.have:])
		if err != nil && err != io.EOF { //nolint:errorlint // a connection returns it as it is
			return fmt.Errorf("wire: %w", err)
		}
		if e.received(n) {
			return nil
		}
	}
	return nil
}

func (e *exchange) advance(uintptr) bool { return true }
