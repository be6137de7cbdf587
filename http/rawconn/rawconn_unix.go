//go:build unix && !linux

package rawconn

import "syscall"

// Send sends what it can at once on a socket's descriptor that does not block.
// The error is a syscall.Errno, EAGAIN when the socket takes nothing.
func Send(fd int, b []byte) (int, error) { return syscall.Write(fd, b) }

// Receive reads what is there from a socket's descriptor that does not block.
// The error is a syscall.Errno, EAGAIN when nothing is; 0 bytes are the end.
func Receive(fd int, b []byte) (int, error) { return syscall.Read(fd, b) }
