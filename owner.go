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

// Edge is where a part of an owner's list begins: beside a ballot that is not
// in it. The zero Edge is that of the newest ballot.
type Edge struct {
	Ballot BallotID
	// Newer says that the part has what was created after the ballot, else
	// what was created before.
	Newer bool
}

// OwnedPage is a part of the list of an owner's ballots, newest first.
type OwnedPage struct {
	Ballots []Snapshot
	// Newer and Older say that there are ballots before and behind these.
	Newer, Older bool
}

// NewOwnedPage returns the part of the list that was asked for by an edge, and
// says of records that were read for it, one more than are wanted, which belong
// to it.
func NewOwnedPage(records []Record, edge Edge, limit int) (OwnedPage, []Record) {
	more, asked := len(records) > limit, edge.Ballot != BallotID{}
	switch {
	case more && edge.Newer:
		records = records[1:]
	case more:
		records = records[:limit]
	}
	if edge.Newer {
		return OwnedPage{Newer: more, Older: asked}, records
	}
	return OwnedPage{Newer: asked, Older: more}, records
}
