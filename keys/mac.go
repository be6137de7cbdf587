package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// mac is HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key. It is safe for
// concurrent use.
//
// States that have taken in the key are used again: that saves half of the
// compressions (FIPS 198-1, section 6) and every allocation.
type mac struct{ states sync.Pool }

// macState has its buffers beside it, because what is handed to a hash.Hash
// moves to the heap.
type macState struct {
	hash    hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

// newMAC returns the mac under a key, which is the mac's from then on.
func newMAC(key []byte) *mac {
	return &mac{states: sync.Pool{New: func() any { return &macState{hash: hmac.New(sha256.New, key)} }}}
}

// sum returns the MAC of the message.
func (m *mac) sum(message []byte) [sha256.Size]byte {
	s := m.states.Get().(*macState)
	s.message = append(s.message[:0], message...)
	s.hash.Write(s.message) // never fails: see hash.Hash
	s.hash.Sum(s.sum[:0])
	sum := s.sum
	s.hash.Reset()
	m.states.Put(s)
	return sum
}
