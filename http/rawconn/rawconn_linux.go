package rawconn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// atOnce bounds one call, in bytes: as long as it lasts, its thread can't be
// stopped, for which a garbage collection may have to wait.
const atOnce = 64 << 10

// conn is a connection over a descriptor that does not block.
type conn struct {
	net.Conn
	raw     syscall.RawConn
	in, out transfer
}

// transfer is one direction of a connection. It is made once, as is the method
// value that the runtime's poller calls.
type transfer struct {
	mu    sync.Mutex // held by the one who reads, or writes
	step  func(fd uintptr) bool
	rest  []byte
	n     int
	errno syscall.Errno
}

func over(c net.Conn) net.Conn {
	descriptor, ok := c.(syscall.Conn)
	if !ok {
		return c
	}
	raw, err := descriptor.SyscallConn()
	if err != nil {
		return c // it is closed, which it will say itself
	}
	o := &conn{Conn: c, raw: raw}
	o.in.step, o.out.step = o.in.read, o.out.write
	return o
}

func (c *conn) under() net.Conn { return c.Conn }

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := c.in.through(c.raw.Read, b)
	if err != nil {
		return n, c.explain("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := c.out.through(c.raw.Write, b)
	if err != nil {
		return n, c.explain("write", err)
	}
	return n, nil
}

// explain makes an error what it is of other connections.
func (c *conn) explain(call string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		op.Op = call // not "raw-read"
		return op
	}
	err = os.NewSyscallError(call, err)
	return &net.OpError{Op: call, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// through does what the poller waits for, with the bytes.
func (t *transfer) through(wait func(func(uintptr) bool) error, b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest, t.n, t.errno = b, 0, 0
	err := wait(t.step)
	t.rest = nil
	if err == nil && t.errno != 0 {
		err = t.errno
	}
	return t.n, err
}

// read takes what is there, and says whether anything was, if only the end.
func (t *transfer) read(fd uintptr) bool { return t.call(syscall.SYS_READ, fd) }

// write writes what can be written, and says whether that was all.
func (t *transfer) write(fd uintptr) bool {
	for t.call(syscall.SYS_WRITE, fd) {
		if len(t.rest) == 0 || t.errno != 0 {
			return true
		}
	}
	return false
}

// call reads into the rest, or writes it, once; false when it would block.
func (t *transfer) call(number, fd uintptr) bool {
	for {
		n, errno := unannounced(number, fd, t.rest[:min(len(t.rest), atOnce)], 0)
		switch errno {
		case 0:
			t.n += n
			t.rest = t.rest[n:]
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			t.errno = errno
			return true
		}
	}
}

// Send sends what it can at once, in one piece, on a socket's descriptor. The
// error is a syscall.Errno, EAGAIN when the socket takes nothing.
func Send(fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, errno := unannounced(syscall.SYS_SENDTO, uintptr(fd), b, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// Receive reads what is there, in one piece, from a socket's descriptor that does
// not block. The error is a syscall.Errno, EAGAIN when nothing is; 0 bytes are
// the end.
func Receive(fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, errno := unannounced(syscall.SYS_RECVFROM, uintptr(fd), b, syscall.MSG_DONTWAIT)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// Duplicate returns another descriptor for the same socket, which shares its
// flags (it does not block) and is closed when another program is run.
func Duplicate(fd int) (int, error) {
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, fmt.Errorf("duplicate descriptor: %w", errno)
	}
	return int(copied), nil
}

// Ready returns how many of the sockets that an epoll descriptor watches are
// ready, and fills in what they are ready for. It doesn't wait.
func Ready(epoll int, events []syscall.EpollEvent) (int, error) {
	//nolint:gosec // G103: as in unannounced
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// unannounced does a system call that doesn't block, with some bytes.
func unannounced(number, fd uintptr, some []byte, flags uintptr) (int, syscall.Errno) {
	//nolint:gosec // G103: the only way to hand over bytes; they are kept until the call returns
	n, _, errno := syscall.RawSyscall6(number, fd, uintptr(unsafe.Pointer(&some[0])), uintptr(len(some)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
