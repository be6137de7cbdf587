package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"slices"

	"github.com/oponn/oponn"
)

// formatVersion begins every sealed value and its associated data.
const formatVersion = 1

// sealOverhead is by how many bytes a sealed value is longer than its
// plaintext: version, nonce, authentication tag.
const sealOverhead = 1 + 12 + 16

// dataKey is a DEK with everything derived from it.
//
// Its AES-GCM key may make at most 2^32 seals, because their nonces are random
// (NIST SP 800-38D, section 8.3). A ballot makes one for every vote and one
// for every version of its head: it would take two billion votes.
type dataKey struct {
	ballot    oponn.BallotID
	seal      cipher.AEAD
	voterTag  *mac
	writeIn   *mac
	locator   cipher.AEAD
	locatorIV *mac
}

var _ oponn.Key = (*dataKey)(nil)

func newDataKey(ballot oponn.BallotID, d derivation) (*dataKey, error) {
	seal, err := newAEAD(d.expand(labelSeal), cipher.NewGCMWithRandomNonce)
	if err != nil {
		return nil, err
	}
	locator, err := newAEAD(d.expand(labelLocator), cipher.NewGCM)
	if err != nil {
		return nil, err
	}
	return &dataKey{
		ballot:    ballot,
		seal:      seal,
		voterTag:  newMAC(d.expand(labelVoterTag)),
		writeIn:   newMAC(d.expand(labelWriteIn)),
		locator:   locator,
		locatorIV: newMAC(d.expand(labelLocatorIV)),
	}, nil
}

// newAEAD returns AES-256 in the given mode, and wipes the key.
func newAEAD(key []byte, mode func(cipher.Block) (cipher.AEAD, error)) (cipher.AEAD, error) {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, refused("AES: %w", err)
	}
	aead, err := mode(block)
	if err != nil {
		return nil, refused("AES-GCM: %w", err) // FIPS 140-only mode has no nonces of one's own
	}
	return aead, nil
}

// Seal appends version, nonce, ciphertext and tag to dst: 29 bytes more than
// the plaintext has. It allocates only when dst is too small. What dst has
// room for must not overlap the plaintext.
func (k *dataKey) Seal(dst, plaintext []byte, field oponn.Field, bindings ...[]byte) []byte {
	ad := borrowAD()
	defer ad.giveBack()
	ad.bytes = appendAD(ad.bytes, k.ballot, field, bindings)
	dst = append(slices.Grow(dst, len(plaintext)+sealOverhead), formatVersion)
	return k.seal.Seal(dst, nil, plaintext, ad.bytes)
}

// Open appends the plaintext of sealed to dst, which must not overlap it. A
// value that doesn't open is CodeInternal.
func (k *dataKey) Open(dst, sealed []byte, field oponn.Field, bindings ...[]byte) ([]byte, error) {
	switch {
	case len(sealed) < sealOverhead:
		return nil, refused("ballot %s: a sealed %s of %d bytes is too short", k.ballot, field, len(sealed))
	case sealed[0] != formatVersion:
		return nil, refused("ballot %s: a sealed %s of the unknown format %d", k.ballot, field, sealed[0])
	}
	ad := borrowAD()
	defer ad.giveBack()
	ad.bytes = appendAD(ad.bytes, k.ballot, field, bindings)
	plaintext, err := k.seal.Open(dst, nil, sealed[1:], ad.bytes)
	if err != nil {
		return nil, refused("ballot %s: a sealed %s does not open: %w", k.ballot, field, err)
	}
	return plaintext, nil
}

// VoterTag returns the first 16 bytes of HMAC-SHA-256 of the voter's id. It
// does not allocate.
func (k *dataKey) VoterTag(voter oponn.VoterID) oponn.VoterTag {
	sum := k.voterTag.sum(voter[:])
	return oponn.VoterTag(sum[:16])
}

// WriteInID returns "w" and the first 8 bytes of HMAC-SHA-256 of the fold in
// base64url. Two labels of one ballot collide with a chance of 2^-64, and
// nobody can look for a pair without the key.
func (k *dataKey) WriteInID(fold string) oponn.OptionID {
	sum := k.writeIn.sum([]byte(fold))
	return oponn.OptionID("w" + base64.RawURLEncoding.EncodeToString(sum[:8]))
}
