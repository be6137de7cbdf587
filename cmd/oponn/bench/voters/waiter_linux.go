package voters

import (
	"os"

	"golang.org/x/sys/unix"
)

// timer waits by a timer of the kernel in the runtime's poller, which is exact
// to some ten microseconds; timers of the runtime itself may be a millisecond
// late when nothing else happens.
type timer struct {
	file *os.File
	raw  int
	buf  [8]byte
}

func newWaiter() Waiter {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return ordinaryWaiter{}
	}
	return &timer{file: os.NewFile(uintptr(fd), "timer"), raw: fd}
}

// Until implements Waiter.
func (t *timer) Until(at int64) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(at, 1))}
	if unix.TimerfdSettime(t.raw, unix.TFD_TIMER_ABSTIME, &spec, nil) != nil {
		ordinaryWaiter{}.Until(at)
		return
	}
	_, _ = t.file.Read(t.buf[:]) // early is allowed
}

// Close implements Waiter.
func (t *timer) Close() { _ = t.file.Close() }
