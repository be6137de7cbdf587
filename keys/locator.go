package keys

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"sync"

	"github.com/oponn/oponn"
)

// A locator is nonce (12 bytes), ciphertext (20) and tag (16) in base64url. Its
// plaintext is the voter's tag and the revision in big endian. The nonce is a
// MAC of the plaintext, after the manner of SIV (RFC 5297): the same vote has
// one locator, and a nonce comes back only with its plaintext.
const (
	locatorPlain  = 16 + 4
	locatorNonce  = 12
	locatorSealed = locatorNonce + locatorPlain + 16
	locatorText   = (locatorSealed*4 + 2) / 3 // 64
)

// locatorBuffer is where a locator is made or read: see adBuffer.
type locatorBuffer struct {
	plain  [locatorPlain]byte
	sealed [locatorSealed]byte
	text   [locatorText]byte
}

var locatorBuffers = sync.Pool{New: func() any { return new(locatorBuffer) }}

// Locator returns 64 characters of base64url. The string is its one
// allocation.
func (k *dataKey) Locator(tag oponn.VoterTag, revision uint32) string {
	b := locatorBuffers.Get().(*locatorBuffer)
	defer locatorBuffers.Put(b)
	copy(b.plain[:], tag[:])
	binary.BigEndian.PutUint32(b.plain[len(tag):], revision)
	iv := k.locatorIV.sum(b.plain[:])
	nonce := b.sealed[:locatorNonce]
	copy(nonce, iv[:])
	k.locator.Seal(nonce, nonce, b.plain[:], nil) // after the nonce, in the same array
	base64.RawURLEncoding.Encode(b.text[:], b.sealed[:])
	return string(b.text[:])
}

// ReadLocator reads what Locator wrote for the same ballot, in the same
// spelling. Anything else is CodeNotFound.
func (k *dataKey) ReadLocator(locator string) (oponn.VoterTag, uint32, error) {
	b := locatorBuffers.Get().(*locatorBuffer)
	defer locatorBuffers.Put(b)
	if len(locator) != locatorText {
		return oponn.VoterTag{}, 0, errNoReceipt()
	}
	copy(b.text[:], locator)
	// The length is compared because the decoder skips line ends.
	if n, err := base64.RawURLEncoding.Decode(b.sealed[:], b.text[:]); err != nil || n != locatorSealed {
		return oponn.VoterTag{}, 0, errNoReceipt()
	}
	nonce := b.sealed[:locatorNonce]
	if _, err := k.locator.Open(b.plain[:0], nonce, b.sealed[locatorNonce:], nil); err != nil {
		return oponn.VoterTag{}, 0, errNoReceipt()
	}
	if iv := k.locatorIV.sum(b.plain[:]); subtle.ConstantTimeCompare(iv[:locatorNonce], nonce) != 1 {
		return oponn.VoterTag{}, 0, errNoReceipt()
	}
	return oponn.VoterTag(b.plain[:16]), binary.BigEndian.Uint32(b.plain[16:]), nil
}

func errNoReceipt() error { return oponn.Errorf(oponn.CodeNotFound, "There is no such receipt.") }
