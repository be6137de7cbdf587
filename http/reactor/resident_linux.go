package reactor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/oponn/oponn/http/rawconn"
)

// Resident is a connection that a reactor looks after.
type Resident struct {
	loop     *loop
	fd       int
	terms    Terms
	server   Server
	answered func() // decided, made once

	mu       sync.Mutex
	state    state
	more     bool // something has come since it began to work
	cut      bool
	last     time.Time     // when it began to rest
	patience time.Duration // how long it may
}

// state is what somebody does with a connection. Whoever has made it work is
// alone with the descriptor and the server, until it rests or has left.
type state int8

const (
	resting state = iota
	working
	left
)

// Conn returns the connection from which it goes on. It is called once.
func (d Departure) Conn() (*net.TCPConn, error) {
	file := os.NewFile(uintptr(d.fd), "")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("reactor: %w", err)
	}
	return conn.(*net.TCPConn), nil
}

// Cut ends the connection: at once when it rests, else its answer is lost.
func (k *Resident) Cut() {
	k.mu.Lock()
	rests := k.state == resting
	if rests {
		k.state = working
	} else if k.state == working {
		k.cut = true
		_ = syscall.Shutdown(k.fd, syscall.SHUT_RDWR) // the peer may have
	}
	k.mu.Unlock()
	if rests {
		k.leave(Departure{Err: net.ErrClosed})
	}
}

// claim makes a connection work that has rested for too long, and says whether
// it does.
func (k *Resident) claim(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != resting || now.Sub(k.last) <= k.patience {
		return false
	}
	k.state = working
	return true
}

// arrived makes a connection work to which something has come, and says whether
// it did not already. An end is only found after what came before it: then
// there is more to read.
func (k *Resident) arrived(end bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == resting {
		k.state, k.more = working, end
		return true
	}
	k.more = true
	return false
}

// rest lets a connection rest, unless something has come.
func (k *Resident) rest() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.more || k.cut {
		k.more = false
		return false
	}
	k.state, k.last, k.patience = resting, time.Now(), k.loop.idle
	return true
}

// leave ends the work for good.
func (k *Resident) leave(d Departure) {
	k.loop.forget(k)
	k.mu.Lock()
	k.state = left
	if k.cut {
		d.Err = net.ErrClosed
	}
	k.mu.Unlock()
	if d.Err != nil {
		_ = syscall.Close(k.fd)
	}
	d.fd = k.fd
	k.terms.Departed(d)
}

// serve reads and answers, until nothing is left to read or an answer comes
// later.
func (k *Resident) serve(buffer []byte) {
	defer k.recovered()
	buffer = buffer[:min(k.terms.Most, len(buffer))]
	for {
		n, err := rawconn.Receive(k.fd, buffer)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
		case err != nil:
			k.leave(Departure{Err: os.NewSyscallError("read", err)})
			return
		case n == 0:
			k.leave(Departure{Err: io.EOF})
			return
		case n == len(buffer): // there may be more of it
			k.leave(Departure{Arrived: slices.Clone(buffer)})
			return
		default:
			if !k.begin(buffer[:n]) {
				return
			}
		}
		if k.rest() {
			return
		}
	}
}

// begin serves what has arrived, and says whether that is done.
func (k *Resident) begin(arrived []byte) bool {
	switch k.server.Begin(arrived, k.answered) {
	case Answered:
		stays := k.send()
		// Whoever is answered at once was turned away, as a rule: where many are,
		// those who were not would wait for this goroutine at each of their steps.
		runtime.Gosched()
		return stays
	case Elsewhere:
		k.leave(Departure{Arrived: slices.Clone(arrived)})
	case Later: // it may have been answered already
	}
	return false
}

// decided is called when the answer is ready.
func (k *Resident) decided() { k.loop.answer(k) }

// finish answers what was to be answered later, and goes on.
func (k *Resident) finish(buffer []byte) {
	defer k.recovered()
	if k.works() && k.send() && !k.rest() {
		k.serve(buffer)
	}
}

// works says whether a connection is still here.
func (k *Resident) works() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state == working
}

// send sends the answer, and says whether the connection stays.
func (k *Resident) send() bool {
	answer, last, n, err := k.give()
	switch {
	case err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
		k.leave(Departure{Err: os.NewSyscallError("write", err)})
	case n < len(answer): // whoever doesn't read is waited for elsewhere
		k.leave(Departure{Unsent: slices.Clone(answer[n:])})
	case last:
		k.leave(Departure{Err: io.EOF})
	default:
		return true
	}
	return false
}

// give sends what can be sent of the answer.
func (k *Resident) give() (answer []byte, last bool, n int, err error) {
	defer k.server.Done()
	answer, last = k.server.Answer()
	n, err = rawconn.Send(k.fd, answer)
	return answer, last, n, err
}

// recovered closes a connection whose server has panicked, which costs nobody
// else anything.
func (k *Resident) recovered() {
	reason := recover()
	if reason == nil {
		return
	}
	k.loop.failed(reason)
	k.leave(Departure{Err: net.ErrClosed})
}
