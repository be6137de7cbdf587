package postgres

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"
)

// outgoing is a message without a byte. It gives the messages after it a buffer
// to be written to that a connection keeps: pgx begins each round trip with a
// new one of 1 KB, and makes it larger and larger, which took five times the
// bytes that were sent.
type outgoing struct{ buffer []byte }

var _ pgproto3.FrontendMessage = (*outgoing)(nil)

const (
	outgoingKey = "oponn outgoing"
	// mayKeep is the largest buffer that is kept, in bytes.
	mayKeep = 1 << 20
	// ownBuffer is what pgx has room for by itself. After more it lets go of
	// the buffer.
	ownBuffer = 1 << 10
	// besideArgs is what a query takes besides its parameters.
	besideArgs = 100
)

// Encode implements pgproto3.Message: it moves what there is to the buffer.
func (o *outgoing) Encode(begun []byte) ([]byte, error) { return append(o.buffer[:0], begun...), nil }

// Decode implements pgproto3.Message.
func (*outgoing) Decode([]byte) error { return errors.New("postgres: nobody sends this") }

// Frontend implements pgproto3.FrontendMessage.
func (*outgoing) Frontend() {}

// makeRoom gives the steps the connection's buffer, if they need one.
func (c *connection) makeRoom(steps []step) {
	size := room(steps)
	if size == 0 {
		return
	}
	o, ok := c.CustomData()[outgoingKey].(*outgoing)
	if !ok {
		o = new(outgoing)
		c.CustomData()[outgoingKey] = o
	}
	o.buffer = slices.Grow(o.buffer[:0], size)
	c.PgConn.Frontend().Send(o)
}

// room is what steps need, in bytes; zero if they are to use a buffer of pgx.
func room(steps []step) (size int) {
	args := 0
	for _, s := range steps {
		size += besideArgs
		for _, arg := range s.args {
			args += len(arg)
			size += 4
		}
	}
	if size += args; args < ownBuffer || size > mayKeep {
		return 0
	}
	return size
}
