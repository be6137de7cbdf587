package keys

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// What a Ring does unless an Option says otherwise.
const (
	DefaultCacheSize = 10_000                 // opened keys
	DefaultCacheAge  = 15 * time.Minute       // since a key was unwrapped, not since it was used
	DefaultDeadline  = 500 * time.Millisecond // of one call to the KEK
)

// Ring is the Keyring over a KEK, with a bounded cache of opened keys. It is
// safe for concurrent use, holds nothing to close, and has no goroutine but
// the calls to the KEK that are under way.
//
// The cache answers only for the very wrapped key that it opened: one that was
// changed by a byte is unwrapped again, and so refused.
type Ring struct {
	kek      KEK
	cache    *cache
	deadline time.Duration
}

var _ oponn.Keyring = (*Ring)(nil)

// Option changes what a new Ring does.
type Option func(*settings)

type settings struct {
	size          int
	age, deadline time.Duration
}

// WithCacheSize bounds the opened keys that are kept: at least 1, by default
// DefaultCacheSize. A key takes 2 KiB, and some more while it is used.
func WithCacheSize(keys int) Option { return func(s *settings) { s.size = max(keys, 1) } }

// WithCacheAge bounds how long an opened key is kept without asking the KEK
// again, by default DefaultCacheAge. With 0 nothing is kept.
func WithCacheAge(age time.Duration) Option { return func(s *settings) { s.age = age } }

// WithDeadline bounds one call to the KEK, by default DefaultDeadline. It is
// more than 0.
func WithDeadline(d time.Duration) Option { return func(s *settings) { s.deadline = d } }

// NewRing returns a Ring over the KEK.
func NewRing(kek KEK, options ...Option) *Ring {
	s := settings{size: DefaultCacheSize, age: DefaultCacheAge, deadline: DefaultDeadline}
	for _, option := range options {
		option(&s)
	}
	r := &Ring{kek: kek, cache: newCache(s), deadline: s.deadline}
	r.cache.unwrap = r.unwrap
	return r
}

// Create makes a fresh DEK for the ballot and keeps it in the cache.
func (r *Ring) Create(ctx context.Context, ballot oponn.BallotID) (oponn.WrappedKey, oponn.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	dek, blob, err := r.kek.Generate(ctx, ballot)
	defer clear(dek)
	if err != nil {
		return oponn.WrappedKey{}, nil, classify(err)
	}
	d, err := derive(ballot, dek)
	if err != nil {
		return oponn.WrappedKey{}, nil, err
	}
	defer d.wipe()
	key, err := newDataKey(ballot, d)
	if err != nil {
		return oponn.WrappedKey{}, nil, err
	}
	wrapped := oponn.WrappedKey{KEK: r.kek.ID(), Blob: blob, Commitment: d.expand(labelCommitment)}
	r.cache.put(ballot, wrapped, key)
	return wrapped, key, nil
}

// Open unwraps a ballot's DEK, or finds it in the cache. Callers that ask for
// the same key at once share one call to the KEK. It goes on, within its
// deadline, when they leave: what it finds serves the next one.
func (r *Ring) Open(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (oponn.Key, error) {
	key, err := r.cache.open(ctx, ballot, wrapped)
	if err != nil {
		return nil, err // not a nil *dataKey in a non-nil interface
	}
	return key, nil
}

// Forget drops the ballot's DEK from the cache; an Open that is under way
// won't put it back. Whoever holds the Key can still use it.
func (r *Ring) Forget(ballot oponn.BallotID) { r.cache.forget(ballot) }

// unwrap asks the KEK, and checks the commitment before anything else is
// derived: an AES-GCM text can be made to open under two keys, so that a blob
// opened does not yet mean that it is the DEK we wrapped.
func (r *Ring) unwrap(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (*dataKey, error) {
	dek, err := r.kek.Unwrap(ctx, ballot, wrapped.KEK, wrapped.Blob)
	defer clear(dek)
	if err != nil {
		return nil, classify(err)
	}
	d, err := derive(ballot, dek)
	if err != nil {
		return nil, err
	}
	defer d.wipe()
	if !d.committed(wrapped.Commitment) {
		return nil, refused("ballot %s: the data key does not match its commitment", ballot)
	}
	return newDataKey(ballot, d)
}
