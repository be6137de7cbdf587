package oponn

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

// BallotID names a ballot: 128 random bits. In text it is 22 characters of
// base64url (RFC 4648, section 5, without padding) that never begin with '-'
// or '_', so that it is safe as a command's argument and in a link.
type BallotID [16]byte

// NewBallotID returns a fresh random id.
func NewBallotID() BallotID {
	for {
		var id BallotID
		_, _ = rand.Read(id[:]) // never fails: crypto/rand aborts the process instead
		if c := id.String()[0]; c != '-' && c != '_' {
			return id
		}
	}
}

// ParseBallotID reads what BallotID.String wrote. Anything else, also a
// different spelling of the same bits, is CodeNotFound: to whoever asks, a
// malformed id and an unknown one are the same.
func ParseBallotID(s string) (BallotID, error) {
	var id BallotID
	if !decodeID(id[:], s) || s[0] == '-' || s[0] == '_' {
		return BallotID{}, Errorf(CodeNotFound, "There is no such ballot.")
	}
	return id, nil
}

// String returns the id in base64url.
func (id BallotID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Compare orders ids by their bytes, the order in which a store locks heads.
func (id BallotID) Compare(other BallotID) int {
	for i := range id {
		if id[i] != other[i] {
			return int(id[i]) - int(other[i])
		}
	}
	return 0
}

// VoterID is the secret a voter's cookie or token carries: 128 random bits,
// the same on every ballot. It never leaves the process that read the cookie;
// what is stored is its VoterTag.
type VoterID [16]byte

// NewVoterID returns a fresh random voter id.
func NewVoterID() VoterID {
	var id VoterID
	_, _ = rand.Read(id[:])
	return id
}

// VoterTag is who voted, as the store knows it: a keyed hash of the voter's id
// under the ballot's own key, so that the tags of one voter on two ballots
// can't be connected.
type VoterTag [16]byte

// OwnerID is the secret of the browser (or API client) that made a ballot.
type OwnerID [16]byte

// NewOwnerID returns a fresh random owner id.
func NewOwnerID() OwnerID {
	var id OwnerID
	_, _ = rand.Read(id[:])
	return id
}

// VoteID is the idempotency key of one vote: a UUID (RFC 9562) that the client
// made before it sent the vote for the first time.
type VoteID [16]byte

// NewVoteID returns a random vote id (UUID version 4).
func NewVoteID() VoteID {
	var id VoteID
	_, _ = rand.Read(id[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseVoteID reads a UUID in its canonical form of 36 characters, in either
// case, of any version but the nil UUID. Anything else is CodeInvalid on the
// field vote_id.
func ParseVoteID(s string) (VoteID, error) {
	var id VoteID
	if !decodeUUID(id[:], s) || id == (VoteID{}) {
		return VoteID{}, Invalid(FieldError{Field: "vote_id", Code: "malformed", Message: "The vote id must be a UUID."})
	}
	return id, nil
}

// decodeUUID reads the canonical form of a UUID.
func decodeUUID(dst []byte, s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	var digits [32]byte
	n := copy(digits[:], s[:8])
	for _, part := range [4][2]int{{9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		n += copy(digits[n:], s[part[0]:part[1]])
	}
	_, err := hex.Decode(dst, digits[:])
	return err == nil
}

// String returns the id as a UUID in lower case.
func (id VoteID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// strict refuses a second spelling of the same bits.
var strict = base64.RawURLEncoding.Strict()

// decodeID reads base64url of exactly len(dst) bytes, in its one canonical
// spelling.
func decodeID(dst []byte, s string) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(dst)) {
		return false
	}
	n, err := strict.Decode(dst, []byte(s))
	return err == nil && n == len(dst)
}
