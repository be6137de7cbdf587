package keys

import (
	"encoding/binary"
	"sync"

	"github.com/oponn/oponn"
)

// appendAD appends the associated data of a seal: format version, ballot,
// field and bindings, each a part. No two lists of parts have one encoding, so
// that a value sealed for one place opens in no other.
func appendAD(b []byte, ballot oponn.BallotID, field oponn.Field, bindings [][]byte) []byte {
	b = append(b, 1, formatVersion) // a part of length 1
	b = appendPart(b, ballot[:])
	b = appendPart(b, field)
	for _, binding := range bindings {
		b = appendPart(b, binding)
	}
	return b
}

// appendPart appends one part after its length.
func appendPart[T ~string | ~[]byte](b []byte, part T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// adBuffer is where associated data is put together. The AEAD is called
// through an interface, which would move a buffer on the stack to the heap.
type adBuffer struct{ bytes []byte }

var adBuffers = sync.Pool{New: func() any { return &adBuffer{make([]byte, 0, 128)} }}

func borrowAD() *adBuffer { return adBuffers.Get().(*adBuffer) }

func (b *adBuffer) giveBack() {
	b.bytes = b.bytes[:0]
	adBuffers.Put(b)
}
