package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/oponn/oponn"
)

// The purposes of a DEK: the info of HKDF-Expand. They are part of the stored
// format.
const (
	labelCommitment = "oponn/v1/commitment"
	labelSeal       = "oponn/v1/seal"
	labelVoterTag   = "oponn/v1/voter-tag"
	labelWriteIn    = "oponn/v1/write-in-id"
	labelLocator    = "oponn/v1/locator"
	labelLocatorIV  = "oponn/v1/locator-iv"
)

// subkeySize is the length of every subkey in bytes.
const subkeySize = 32

// derivation is the pseudorandom key of HKDF (RFC 5869, section 2.2), from
// which the subkeys of one DEK come.
type derivation struct{ prk []byte }

// derive extracts from a DEK. The salt is the ballot's id, so that a DEK which
// by some fault served two ballots would still give them different subkeys,
// and the commitment vouches for the ballot too.
func derive(ballot oponn.BallotID, dek []byte) (derivation, error) {
	if len(dek) != DEKSize {
		return derivation{}, refused("ballot %s: a data key of %d bytes instead of %d", ballot, len(dek), DEKSize)
	}
	prk, err := hkdf.Extract(sha256.New, dek, ballot[:])
	if err != nil {
		return derivation{}, refused("ballot %s: HKDF: %w", ballot, err)
	}
	return derivation{prk}, nil
}

// expand returns the subkey of one purpose.
func (d derivation) expand(label string) []byte {
	subkey, err := hkdf.Expand(sha256.New, d.prk, label, subkeySize)
	if err != nil {
		panic(err) // only for a length over 255 hashes, or a key under 112 bits
	}
	return subkey
}

// committed tells whether the commitment is that of this DEK.
func (d derivation) committed(commitment []byte) bool {
	return subtle.ConstantTimeCompare(d.expand(labelCommitment), commitment) == 1
}

// wipe forgets the key from which all others can be made.
func (d derivation) wipe() { clear(d.prk) }
