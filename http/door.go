package http

import (
	"bytes"
	"net"
	"time"

	"github.com/oponn/oponn/http/rawconn"
	"github.com/oponn/oponn/http/reactor"
)

// door is a listener whose connections begin in the reactor: those that only
// vote stay there, and cost neither a goroutine nor what net/http keeps of a
// connection. The others are let in to net/http, with what they have said
// first. So whoever says nothing waits at the door, where it costs least.
type door struct {
	net.Listener // of plain TCP
	server       *Server

	inside chan *conn
	failed chan error
	closed chan struct{}
}

// newDoor opens a door, to be closed once. Its connections are accepted as they
// come; those that are for net/http wait for it.
func newDoor(s *Server, l net.Listener) *door {
	d := &door{Listener: l, server: s, inside: make(chan *conn), failed: make(chan error), closed: make(chan struct{})}
	go d.open()
	return d
}

// open receives connections until the door is closed. After an error it goes on
// when net/http does, which knows how long to wait.
func (d *door) open() {
	for {
		accepted, err := d.Listener.Accept()
		if err == nil {
			d.receive(accepted)
			continue
		}
		select {
		case d.failed <- err:
		case <-d.closed:
			return
		}
	}
}

// receive has the reactor look after a connection, if it can.
func (d *door) receive(accepted net.Conn) {
	tcp, ok := accepted.(*net.TCPConn)
	if !ok {
		d.let(&conn{Conn: accepted, server: d.server})
		return
	}
	n := &newcomer{door: d, peer: tcp.RemoteAddr()}
	if d.server.reactor.Admit(tcp, reactor.Terms{Most: maxFirst, First: d.server.http.ReadTimeout, Departed: n.departed}, n) == nil {
		d.let(&conn{Conn: rawconn.Over(tcp), server: d.server})
	}
}

// maxFirst is the most that is read at once of what a connection says first, in
// bytes: what is longer is no vote.
const maxFirst = 4 << 10

// let lets a connection in to net/http.
func (d *door) let(c *conn) {
	select {
	case d.inside <- c:
	case <-d.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.inside:
		return c, nil
	case err := <-d.failed:
		return nil, err
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() error {
	close(d.closed)
	return d.Listener.Close() //nolint:wrapcheck // as if it were the listener's own
}

// newcomer serves a connection until it says something other than a vote.
type newcomer struct {
	door    *door
	peer    net.Addr
	pending *pending // nil before it has voted
}

var _ reactor.Server = (*newcomer)(nil)

// Begin implements reactor.Server.
func (n *newcomer) Begin(arrived []byte, answered func()) reactor.Verdict {
	if n.pending == nil {
		if !bytes.HasPrefix(arrived, []byte(voteHeadBegin)) {
			return reactor.Elsewhere
		}
		n.pending = newPending(newFastPath(n.door.server, n.peer.String()))
		n.pending.fast.answer.pending = n.pending
	}
	return n.pending.Begin(arrived, answered)
}

// Answer implements reactor.Server.
func (n *newcomer) Answer() (answer []byte, last bool) { return n.pending.Answer() }

// Done implements reactor.Server.
func (n *newcomer) Done() { n.pending.Done() }

// departed has a connection go on inside.
func (n *newcomer) departed(departure reactor.Departure) {
	if departure.Err == nil {
		go n.goIn(departure)
	}
}

func (n *newcomer) goIn(departure reactor.Departure) {
	tcp, err := departure.Conn()
	if err != nil {
		return // it is closed
	}
	c := &conn{Conn: rawconn.Over(tcp), server: n.door.server, arrived: departure.Arrived}
	if len(departure.Unsent) > 0 {
		if err = c.SetWriteDeadline(time.Now().Add(c.server.http.WriteTimeout)); err == nil {
			_, err = c.Write(departure.Unsent)
		}
		if err != nil {
			_ = c.Close()
			return
		}
	}
	n.door.let(c)
}
