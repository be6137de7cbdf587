package keys

import (
	"crypto/sha256"
	"encoding"
	"hash"
	"sync"
)

// mac is HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key of at most a block.
// It is safe for concurrent use.
//
// All it keeps is the two states of the hash that have taken in the key, as the
// hash writes them (FIPS 198-1, section 6): 216 bytes side by side. That saves
// half of the compressions, every allocation, and, with a thousand keys that
// take turns, most of the memory that has to be waited for: a crypto/hmac of its
// own for each key is ten times as many places.
type mac struct{ inner, outer [stateSize]byte }

// stateSize is that of a state which crypto/sha256 has marshalled.
const stateSize = 108

// resumable is a hash that goes on from a state.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// macDesk is where a MAC is made. Its buffers are beside the hash, because what
// is handed to a hash.Hash moves to the heap.
type macDesk struct {
	hash    resumable
	state   [stateSize]byte
	message []byte
	sum     [sha256.Size]byte
}

var macDesks = sync.Pool{New: func() any { return &macDesk{hash: sha256.New().(resumable)} }}

// newMAC returns the mac under a key, and clears the key.
func newMAC(key []byte) *mac {
	defer clear(key)
	m := &mac{}
	m.inner = keyed(key, 0x36)
	m.outer = keyed(key, 0x5c)
	return m
}

// keyed returns the state after a block with the key.
func keyed(key []byte, pad byte) (state [stateSize]byte) {
	block := make([]byte, sha256.BlockSize)
	defer clear(block)
	copy(block, key)
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New().(resumable)
	h.Write(block) // never fails: see hash.Hash
	marshalled, err := h.MarshalBinary()
	if err != nil || len(key) > sha256.BlockSize || copy(state[:], marshalled) != stateSize || len(marshalled) != stateSize {
		panic("keys: a hash without a state, or a key longer than a block")
	}
	return state
}

// sum returns the MAC of the message.
func (m *mac) sum(message []byte) [sha256.Size]byte {
	d := macDesks.Get().(*macDesk)
	d.message = append(d.message[:0], message...)
	d.hashOn(&m.inner, d.message)
	d.hashOn(&m.outer, d.sum[:])
	sum := d.sum
	macDesks.Put(d)
	return sum
}

// hashOn leaves in sum what comes of a state and some more bytes.
func (d *macDesk) hashOn(state *[stateSize]byte, message []byte) {
	d.state = *state
	if err := d.hash.UnmarshalBinary(d.state[:]); err != nil {
		panic("keys: a hash that does not know its own state: " + err.Error())
	}
	d.hash.Write(message) // never fails
	d.hash.Sum(d.sum[:0])
}
