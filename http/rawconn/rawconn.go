// Package rawconn has connections read and write without asking Go's scheduler.
//
// A system call through package syscall is announced to the scheduler, since it
// may block: its monitor (sysmon in runtime/proc.go) wakes up when it sleeps,
// looks every 20 µs whether the call lasts, and gives the processor away if
// something else could run meanwhile. On a server that is half busy, whose
// threads go to sleep and wake up some thousand times a second, that costs an
// eighth of its time, and more in waiting; and none of it is of use to a
// descriptor that never blocks.
package rawconn

import "net"

// Over returns a connection that reads and writes without asking the
// scheduler, where that can be done; else the connection itself, as for one
// that has no descriptor. Anything but Read and Write is the connection's own,
// deadlines and Close included, and what is true of a net.Conn is true of it:
// it may be used by several goroutines at a time, its errors are *net.OpError,
// and io.EOF at the end.
func Over(c net.Conn) net.Conn { return over(c) }

// Under returns the connection that one from Over reads and writes, and any
// other as it is.
func Under(c net.Conn) net.Conn {
	if over, ok := c.(interface{ under() net.Conn }); ok {
		return over.under()
	}
	return c
}
