package keys

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// place is what associated data says about a sealed value.
type place struct {
	ballot   oponn.BallotID
	field    oponn.Field
	bindings [][]byte
}

func (p place) encode() []byte { return appendAD(nil, p.ballot, p.field, p.bindings) }

func (p place) equal(q place) bool {
	return p.ballot == q.ballot && p.field == q.field && slices.EqualFunc(p.bindings, q.bindings, bytes.Equal)
}

// drawPlace draws from few and short values, and from some about 128 bytes
// long, where a length takes a second byte, so that likely clashes come up.
func drawPlace(t *rapid.T, name string) place {
	alphabet := rapid.SampledFrom([]byte{0, 1, 2, 3, 16, 'a'})
	part := rapid.OneOf(rapid.SliceOfN(alphabet, 0, 4), rapid.SliceOfN(alphabet, 126, 130))
	return place{
		ballot:   oponn.BallotID{15: rapid.SampledFrom([]byte{0, 1}).Draw(t, name+" ballot")},
		field:    oponn.Field(part.Draw(t, name+" field")),
		bindings: rapid.SliceOfN(part, 0, 4).Draw(t, name+" bindings"),
	}
}

func TestAssociatedData_IsUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawPlace(t, "one"), drawPlace(t, "other")
		if p.equal(q) != bytes.Equal(p.encode(), q.encode()) {
			t.Fatalf("%v and %v encode to %x and %x", p, q, p.encode(), q.encode())
		}
	})
}

// Cutting the same bytes elsewhere is the clash to fear.
func TestAssociatedData_TellsTheCutsOfOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 3}), 1, 300).Draw(t, "text")
		cut := func(name string) place {
			at := rapid.IntRange(0, len(text)).Draw(t, name)
			then := rapid.IntRange(at, len(text)).Draw(t, name)
			return place{field: oponn.Field(text[:at]), bindings: [][]byte{text[at:then], text[then:]}}
		}
		p, q := cut("one"), cut("other")
		if p.equal(q) != bytes.Equal(p.encode(), q.encode()) {
			t.Fatalf("%v and %v encode to %x and %x", p, q, p.encode(), q.encode())
		}
	})
}
