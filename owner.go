package oponn

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// Created is a new ballot and the secret of its owner, shown this once.
type Created struct {
	Snapshot Snapshot
	// OwnerKey is 256 random bits in base64url; the store keeps its hash.
	OwnerKey string
}

// NewOwnerKey returns a fresh owner key and the hash to keep of it. A plain
// SHA-256 will do for a secret of 256 random bits.
func NewOwnerKey() (key string, hash [32]byte) {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	key = base64.RawURLEncoding.EncodeToString(secret[:])
	return key, sha256.Sum256([]byte(key))
}

// Owns says whether the key is the ballot's owner key, in constant time.
func (b *Ballot) Owns(key string) bool {
	hash := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(hash[:], b.OwnerKey[:]) == 1
}

// OwnedBy says whether the browser with the id made the ballot, in constant
// time.
func (b *Ballot) OwnedBy(id OwnerID) bool {
	hash := id.Hash()
	return hash != [32]byte{} && subtle.ConstantTimeCompare(hash[:], b.Owner[:]) == 1
}

// Hash returns what the store keeps of an owner's id: zeros for no owner, so
// that it is found by nobody.
func (id OwnerID) Hash() [32]byte {
	if id == (OwnerID{}) {
		return [32]byte{}
	}
	return sha256.Sum256(id[:])
}
