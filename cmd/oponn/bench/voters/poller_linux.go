package voters

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// poller waits for many connections, for a time on the machine's monotonic
// clock, and to be woken, whatever comes first.
type poller struct {
	epoll, timer, event int
	// armed is the time that the timer is set to; zero when it is over.
	armed  int64
	events []unix.EpollEvent
	more   bool   // there was no room for what else was ready
	one    []byte // the number, as an eventfd adds it
}

// What an event is about that is not about a connection.
const (
	aboutTimer = -1 - iota
	aboutWake
)

func newPoller() (p poller, err error) {
	p = poller{epoll: -1, timer: -1, event: -1, events: make([]unix.EpollEvent, atOnce), one: binary.NativeEndian.AppendUint64(nil, 1)}
	var failed [5]error
	p.epoll, failed[0] = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	p.timer, failed[1] = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	p.event, failed[2] = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	// Edges: neither has to be read.
	failed[3] = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, p.timer, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: aboutTimer})
	failed[4] = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, p.event, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: aboutWake})
	if err := errors.Join(failed[:]...); err != nil {
		p.close()
		return p, fmt.Errorf("voters: epoll: %w", err)
	}
	return p, nil
}

// add has the poller wait for a connection until that is closed. It is asked
// for by its index.
func (p *poller) add(fd, index int) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)})
}

// wake ends the wait that is under way, or the next one. It may be called from
// any goroutine.
func (p *poller) wake() { _, _ = unix.Write(p.event, p.one) }

// wait returns what is ready, nothing if the time comes before. It may return
// early.
func (p *poller) wait(until, now int64) []unix.EpollEvent {
	timeout := -1
	if until <= now || !p.arm(until) {
		timeout = 0
	}
	n, err := unix.EpollWait(p.epoll, p.events, timeout)
	if err != nil {
		return nil // a signal
	}
	ready := p.events[:n]
	p.more = n == len(p.events)
	for i := range ready {
		if ready[i].Fd == aboutTimer {
			p.armed = 0
			ready[i] = ready[n-1]
			return ready[:n-1]
		}
	}
	return ready
}

// sleep waits for a time, whatever happens. It may return early.
func (p *poller) sleep(until int64) {
	at := unix.NsecToTimespec(until)
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil)
}

// arm sets the timer, unless it is set already.
func (p *poller) arm(at int64) bool {
	if at == math.MaxInt64 || at == p.armed {
		return true
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(at)}
	if unix.TimerfdSettime(p.timer, unix.TFD_TIMER_ABSTIME, &spec, nil) != nil {
		return false
	}
	p.armed = at
	return true
}

func (p *poller) close() {
	for _, fd := range []int{p.epoll, p.timer, p.event} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
