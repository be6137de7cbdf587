package oponn

import (
	"bytes"
	"context"
)

// Field says what a sealed value is, so that one can't be passed off as
// another: it is part of the associated data of every seal.
type Field string

// The kinds of sealed values. The strings are part of the stored format.
const (
	FieldDefinition Field = "definition"   // a ballot's question, options and rules
	FieldRuled      Field = "definition 2" // the same of a ballot with rules, which releases that don't know them must not open
	FieldState      Field = "state"        // a head's tally, status and times; bound to the version
	FieldChoice     Field = "choice"       // one vote's choice; bound to voter tag and vote id
	FieldWriteIn    Field = "write-in"     // a written-in option's label; bound to its option id
)

// Key is a ballot's opened data key (DEK) with everything derived from it.
// It is safe for concurrent use. Its secrets never leave the process.
type Key interface {
	// Seal appends the sealed form of plaintext to dst and returns the longer
	// slice. It grows by len(plaintext) plus a constant. The value opens only
	// with the same key, field and bindings.
	Seal(dst, plaintext []byte, field Field, bindings ...[]byte) []byte

	// Open appends the plaintext of sealed to dst. CodeKeysUnavailable is
	// never returned; a value that doesn't open is CodeInternal: it was
	// damaged, replayed or forged.
	Open(dst, sealed []byte, field Field, bindings ...[]byte) ([]byte, error)

	// VoterTag returns the voter's tag on this ballot: deterministic.
	VoterTag(voter VoterID) VoterTag

	// WriteInID returns the id of the option that a written-in label becomes,
	// from the label's fold (see FoldLabel): deterministic, so that two
	// instances that see the same text at once make the same option.
	WriteInID(fold string) OptionID

	// Locator returns the opaque, authenticated text by which one revision of
	// a voter's vote can be found again: deterministic, at most 96 characters
	// of base64url.
	Locator(tag VoterTag, revision uint32) string

	// ReadLocator reads what Locator wrote. Anything else is CodeNotFound.
	ReadLocator(locator string) (VoterTag, uint32, error)
}

// WrappedKey is a DEK as the store keeps it.
type WrappedKey struct {
	// KEK names the master key that wrapped it.
	KEK string
	// Blob is the DEK, encrypted under the KEK.
	Blob []byte
	// Commitment is 32 bytes derived from the DEK, checked before it is used:
	// AES-GCM alone does not commit to its key.
	Commitment []byte
}

// Equal says whether two wrapped keys are the same bytes under the same KEK.
func (w WrappedKey) Equal(other WrappedKey) bool {
	return w.KEK == other.KEK && bytes.Equal(w.Blob, other.Blob) && bytes.Equal(w.Commitment, other.Commitment)
}

// Keyring makes and opens the data keys of ballots (envelope encryption, NIST
// SP 800-57 part 1). It is safe for concurrent use.
//
// Its errors are CodeKeysUnavailable when the key management service can't
// be reached now, the same with ErrKeyDenied when it refuses the key, and
// CodeInternal when a key is damaged.
type Keyring interface {
	// Create makes a fresh DEK for the ballot.
	Create(ctx context.Context, ballot BallotID) (WrappedKey, Key, error)

	// Open unwraps a ballot's DEK, or finds it in the cache.
	Open(ctx context.Context, ballot BallotID, wrapped WrappedKey) (Key, error)

	// Forget drops the ballot's DEK from the cache.
	Forget(ballot BallotID)
}
