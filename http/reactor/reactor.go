// Package reactor has a few goroutines look after many connections, whose
// requests are short and answered later (the pattern of that name: D. C.
// Schmidt, "Reactor", 1995). A goroutine for each connection costs a vote two
// switches, a stack and headers that have left the caches, and the runtime's
// poller four calls; here a loop reads for all of its connections into one
// buffer, and writes what has become ready one after the other.
//
// It is only there on Linux; elsewhere nothing is admitted.
package reactor

import "time"

// Server answers the requests of one connection, one after the other. Its
// methods are not called at the same time, and must not wait for anything: all
// connections of a loop would wait with it.
type Server interface {
	// Begin takes what has arrived, which is valid until it returns. After
	// Later, answered is to be called once, from wherever, when Answer may be;
	// that may be before Begin returns, which must not touch the server any more
	// once it can have been called. For Elsewhere, nothing must have happened.
	Begin(arrived []byte, answered func()) Verdict

	// Answer returns the bytes of the answer, valid until the next Begin, and
	// whether it is the last one of this connection.
	Answer() (answer []byte, last bool)

	// Done is called once after each Answer, also one that panics, when what it
	// returned was sent as far as it could be.
	Done()
}

// Verdict is what became of what has arrived.
type Verdict int8

// Verdicts.
const (
	Elsewhere Verdict = iota // it is not for here: the connection leaves, with it
	Answered                 // Answer may be called
	Later                    // it may be when that is said
)

// Terms are what a connection is taken over on.
type Terms struct {
	// Most is the most bytes that are read at a time.
	Most int
	// First is how long the first request may take to come; 0 is as long as any
	// other.
	First time.Duration
	// Departed is told how the connection leaves, once. It must not wait.
	Departed func(Departure)
}

// Departure is how a connection leaves.
type Departure struct {
	// Unsent is what is still to be written, before anything else.
	Unsent []byte
	// Arrived is what was read and not served.
	Arrived []byte
	// Err is io.EOF when the peer, or the last answer, has ended the connection,
	// net.ErrClosed after Cut, os.ErrDeadlineExceeded when nothing came for too
	// long, or an error of the system. The connection is closed then; without an
	// error it goes on, and Conn has to be called.
	Err error

	fd int
}

// Config is what a reactor keeps to.
type Config struct {
	// Loops is how many loops there are; 0 is one for each processor.
	Loops int
	// Idle is how long a connection may be without a request: at least that
	// long, and at most two seconds longer.
	Idle time.Duration
	// Failed is told of what a server panics with. Its connection is closed.
	Failed func(reason any)
}
