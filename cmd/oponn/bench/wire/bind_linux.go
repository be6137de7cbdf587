package wire

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindLate has the kernel choose a socket's port when it connects, so that one
// port serves towards several targets.
func bindLate(_, _ string, c syscall.RawConn) error {
	var option error
	err := c.Control(func(fd uintptr) {
		option = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	if err != nil {
		return err
	}
	return option
}
