package keys

import (
	"bytes"
	"context"

	"github.com/oponn/oponn"
)

// Wrapper is a KEK that takes over a DEK which another KEK made.
type Wrapper interface {
	KEK
	// Wrap returns the wrapped form of a DEK, which stays the caller's.
	Wrap(ctx context.Context, ballot oponn.BallotID, plain []byte) (blob []byte, err error)
}

// Rewrapper is a KEK that takes over a blob of another KEK without its DEK
// being seen by us.
type Rewrapper interface {
	KEK
	// Rewraps tells whether it can do so for blobs of the other.
	Rewraps(from KEK) bool
	// Rewrap returns this KEK's blob of the DEK that is in a blob of the KEK
	// named fromID.
	Rewrap(ctx context.Context, ballot oponn.BallotID, fromID string, blob []byte) ([]byte, error)
}

// Rewrap returns a ballot's wrapped key, which the Ring's KEK or a former one
// wrapped, as the Ring's KEK wraps it: the same DEK with the same commitment,
// so that all that was sealed with it still opens. Where that is what it is
// already, it is returned unchanged, with changed false and without a call.
//
// Before it is returned, the result was unwrapped and held against the
// commitment: it may replace the old one. Errors are those of oponn.Keyring;
// then the old one has to stay.
func (r *Ring) Rewrap(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (_ oponn.WrappedKey, changed bool, _ error) {
	if wrapped.KEK == r.kek.ID() {
		return wrapped, false, nil
	}
	from, ok := r.formerKEK(wrapped)
	if !ok {
		return oponn.WrappedKey{}, false, refused("ballot %s: its data key was wrapped by the master key %q, which is not known here",
			ballot, wrapped.KEK)
	}
	blob, err := r.move(ctx, ballot, from, wrapped)
	if err != nil {
		return oponn.WrappedKey{}, false, classify(err)
	}
	moved := oponn.WrappedKey{KEK: r.kek.ID(), Blob: blob, Commitment: bytes.Clone(wrapped.Commitment)}
	dek, d, err := r.reveal(ctx, ballot, moved)
	clear(dek)
	d.wipe()
	if err != nil {
		return oponn.WrappedKey{}, false, err
	}
	return moved, true, nil
}

// move returns the blob of the Ring's KEK for what another one wrapped.
func (r *Ring) move(ctx context.Context, ballot oponn.BallotID, from KEK, wrapped oponn.WrappedKey) ([]byte, error) {
	if to, ok := r.kek.(Rewrapper); ok && to.Rewraps(from) {
		ctx, cancel := context.WithTimeout(ctx, r.deadline)
		defer cancel()
		return to.Rewrap(ctx, ballot, wrapped.KEK, wrapped.Blob)
	}
	to, ok := r.kek.(Wrapper)
	if !ok {
		return nil, refused("the master key %q can't take over a data key", r.kek.ID())
	}
	dek, d, err := r.reveal(ctx, ballot, wrapped)
	defer clear(dek)
	d.wipe()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	return to.Wrap(ctx, ballot, dek)
}
