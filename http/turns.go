package http

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"

	"github.com/labstack/echo/v4"
)

// turns bounds how many plain connections read and check requests at the same
// moment. Go runs what can run in the order in which it became able to: when
// three thousand voters send at once, everything else, also the answers of the
// database for which those before them wait, would stand behind three thousand
// requests, and what is refused would starve what was accepted. So a request
// waits for its turn, which costs next to nothing, before it is read; the turn
// ends when its handler begins or, for a vote, when the vote is on its way.
type turns chan struct{}

// turnsEach is how many turns there are for each processor: enough that nobody
// waits on an ordinary day.
const turnsEach = 32

func newTurns() turns { return make(turns, turnsEach*runtime.GOMAXPROCS(0)) }

// listen has the connections of a listener take turns.
func (t turns) listen(l net.Listener) net.Listener { return &turnsListener{l, t} }

type turnsListener struct {
	net.Listener
	turns turns
}

// Accept implements net.Listener.
func (l *turnsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &turnConn{Conn: c, turns: l.turns}, nil
}

// turnConn is a connection that takes turns.
type turnConn struct {
	net.Conn
	turns turns
	state atomic.Int32
}

// States of a connection.
const (
	awaiting int32 = iota // the next request
	reading               // one, in its turn
	handling              // one, whose turn has ended
)

// Read implements net.Conn. It never waits for the network during a turn:
// whoever sends half a request keeps nobody from reading.
func (c *turnConn) Read(p []byte) (int, error) {
	if c.state.CompareAndSwap(reading, awaiting) {
		<-c.turns
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.state.Load() == awaiting {
		c.turns <- struct{}{}
		c.state.Store(reading)
	}
	return n, err
}

// endTurn ends the turn, if it lasts.
func (c *turnConn) endTurn(next int32) {
	if c.state.Swap(next) == reading {
		<-c.turns
	}
}

// CloseWrite lets net/http close in two steps, so that an answer to a request
// whose body nobody read is not cut off.
func (c *turnConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// hook follows a connection's life: a request has been answered, or the
// connection is gone.
func (turns) hook(c net.Conn, state http.ConnState) {
	turn, ok := c.(*turnConn)
	if !ok {
		return
	}
	switch state {
	case http.StateIdle:
		turn.endTurn(awaiting)
	case http.StateClosed, http.StateHijacked:
		turn.endTurn(handling)
	case http.StateNew, http.StateActive:
	}
}

// begun ends a request's turn when its handler begins, which may wait for
// something.
func begun(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		endTurn(c.Request().Context())
		return next(c)
	}
}

// endTurn ends the turn of a request that has been read.
func endTurn(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*turnConn); ok {
		c.endTurn(handling)
	}
}
