package keys

import (
	"context"

	"github.com/oponn/oponn"
)

// DEKSize is the length of a data key in bytes.
const DEKSize = 32

// KEK is a master key (key encryption key): it makes data keys and unwraps
// them, and never leaves where it is kept. It is safe for concurrent use.
//
// Every wrapped key is bound to an encryption context, EncryptionContext of
// its ballot: it unwraps with the same context only.
//
// The methods return before, or soon after, their context ends. Their errors
// are CodeKeysUnavailable when the KEK can't be reached now but may be later,
// the same with oponn.ErrKeyDenied when it may not be used, and anything else
// when the key at hand is wrong: Ring turns a context's end into the first and
// every error without a code into CodeInternal.
type KEK interface {
	// ID names the KEK, in WrappedKey.KEK: stable for as long as the KEK can
	// unwrap what it wrapped, and no secret.
	ID() string

	// Generate returns a fresh DEK of DEKSize random bytes, which the caller
	// wipes, and its wrapped form.
	Generate(ctx context.Context, ballot oponn.BallotID) (plain, blob []byte, err error)

	// Unwrap returns the DEK, which the caller wipes, of a blob that the KEK
	// named kekID wrapped for this ballot.
	Unwrap(ctx context.Context, ballot oponn.BallotID, kekID string, blob []byte) (plain []byte, err error)
}

// purposeDEK says what a KEK wraps. It is part of the stored format.
const purposeDEK = "oponn/dek/v1"

// EncryptionContext returns what a ballot's wrapped DEK is bound to, as key
// management services take it. It is authenticated but not secret (AWS writes
// it to CloudTrail), so it holds ids only. The map is the caller's.
func EncryptionContext(ballot oponn.BallotID) map[string]string {
	return map[string]string{"ballot": ballot.String(), "purpose": purposeDEK}
}
