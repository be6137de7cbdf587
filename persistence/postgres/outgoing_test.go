package postgres

import (
	"bytes"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestOutgoing has round trips written to a buffer of their own that are the
// same as without it, one after the other.
func TestOutgoing(t *testing.T) {
	begun := &pgproto3.Query{String: "begin"}
	bind := func(value byte, size int) *pgproto3.Bind {
		return &pgproto3.Bind{PreparedStatement: "q1", Parameters: [][]byte{bytes.Repeat([]byte{value}, size)}}
	}
	var ordinary, kept bytes.Buffer
	one, other := pgproto3.NewFrontend(nil, &ordinary), pgproto3.NewFrontend(nil, &kept)
	o := &outgoing{}
	for trip, size := range []int{ownBuffer, 3 * ownBuffer, 2 * ownBuffer, 10 * ownBuffer} {
		o.buffer = slices.Grow(o.buffer[:0], 2*ownBuffer) // too small for some
		for _, f := range []*pgproto3.Frontend{one, other} {
			f.Send(begun)
			if f == other {
				f.Send(o)
			}
			f.SendBind(bind(byte(trip), size))
			f.SendSync(&pgproto3.Sync{})
			if err := f.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(ordinary.Bytes(), kept.Bytes()) {
			t.Fatalf("round trip %d: other bytes are sent", trip)
		}
	}
	if o.Decode(nil) == nil {
		t.Error("it can be received")
	}
}

func TestRoom(t *testing.T) {
	arg := func(size int) step { return step{insertVotes, [][]byte{make([]byte, size)}, nil} }
	for name, test := range map[string]struct {
		steps []step
		least int
	}{
		"none":      {},
		"small":     {steps: []step{{begin, nil, nil}, arg(100), {commit, nil, nil}}},
		"large":     {steps: []step{{begin, nil, nil}, arg(1500), arg(1500)}, least: 3000},
		"too large": {steps: []step{arg(mayKeep)}},
	} {
		if size := room(test.steps); size < test.least || (size > 0) != (test.least > 0) || size > 2*test.least {
			t.Errorf("%s: room for %d bytes, want %d", name, size, test.least)
		}
	}
}
