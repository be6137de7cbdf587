package keys

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// What a Ring does unless an Option says otherwise.
const (
	DefaultCacheSize  = 10_000                 // opened keys
	DefaultCacheAge   = 15 * time.Minute       // since a key was unwrapped, not since it was used
	DefaultCacheGrace = 24 * time.Hour         // the same, while the KEK can't be reached
	DefaultDeadline   = 500 * time.Millisecond // of one call to the KEK
)

// Ring is the Keyring over a KEK, with a bounded cache of opened keys. It is
// safe for concurrent use, holds nothing to close, and has no goroutine but
// the calls to the KEK that are under way.
//
// The cache answers only for the very wrapped key that it opened: one that was
// changed by a byte is unwrapped again, and so refused.
//
// A key that was opened 15 minutes ago is refreshed when it is next asked for:
// the KEK unwraps it again. If it can't be reached, the key serves on, up to a
// day after the KEK last vouched for it, and it is asked again every few
// seconds. If it refuses, the key is dropped at once.
type Ring struct {
	kek      KEK
	former   []KEK
	cache    *cache
	deadline time.Duration
}

var _ oponn.Keyring = (*Ring)(nil)

// Option changes what a new Ring does.
type Option func(*settings)

type settings struct {
	size                 int
	age, grace, deadline time.Duration
	former               []KEK
	meter                oponn.Meter
}

// WithCacheSize bounds the opened keys that are kept: at least 1, by default
// DefaultCacheSize. A key takes 2 KiB, and some more while it is used.
func WithCacheSize(keys int) Option { return func(s *settings) { s.size = max(keys, 1) } }

// WithCacheAge bounds how long an opened key is kept without asking the KEK
// again, by default DefaultCacheAge. With 0 nothing is kept.
func WithCacheAge(age time.Duration) Option { return func(s *settings) { s.age = age } }

// WithCacheGrace bounds how long an opened key is kept while the KEK can't be
// reached, since it last vouched for the key, by default DefaultCacheGrace. It
// is at least the cache's age.
func WithCacheGrace(grace time.Duration) Option { return func(s *settings) { s.grace = grace } }

// WithFormer lets a Ring open what an earlier KEK wrapped, and Rewrap it; it may
// be given several times. New keys are wrapped by the Ring's own KEK alone.
func WithFormer(kek KEK) Option { return func(s *settings) { s.former = append(s.former, kek) } }

// WithDeadline bounds one call to the KEK, by default DefaultDeadline. It is
// more than 0.
func WithDeadline(d time.Duration) Option { return func(s *settings) { s.deadline = d } }

// NewRing returns a Ring over the KEK.
func NewRing(kek KEK, options ...Option) *Ring {
	s := settings{size: DefaultCacheSize, age: DefaultCacheAge, grace: DefaultCacheGrace, deadline: DefaultDeadline}
	for _, option := range options {
		option(&s)
	}
	s.grace = max(s.grace, s.age)
	r := &Ring{kek: kek, former: s.former, cache: newCache(s), deadline: s.deadline}
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

// unwrap opens a wrapped key.
func (r *Ring) unwrap(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (*dataKey, error) {
	dek, d, err := r.reveal(ctx, ballot, wrapped)
	defer clear(dek)
	defer d.wipe()
	if err != nil {
		return nil, err
	}
	return newDataKey(ballot, d)
}

// reveal asks the KEK that wrapped the key, and checks the commitment before
// anything else is derived: an AES-GCM text can be made to open under two keys,
// so that a blob opened does not yet mean that it is the DEK we wrapped. The
// caller wipes what it returns, also with an error.
func (r *Ring) reveal(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (dek []byte, d derivation, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	kek, ok := r.formerKEK(wrapped)
	if !ok {
		kek = r.kek // also when the key is nobody's: it will say so
	}
	dek, err = kek.Unwrap(ctx, ballot, wrapped.KEK, wrapped.Blob)
	if err != nil {
		return dek, d, classify(err)
	}
	d, err = derive(ballot, dek)
	if err == nil && !d.committed(wrapped.Commitment) {
		err = refused("ballot %s: the data key does not match its commitment", ballot)
	}
	return dek, d, err
}

// formerKEK returns the former KEK that wrapped a key.
func (r *Ring) formerKEK(wrapped oponn.WrappedKey) (KEK, bool) {
	for _, kek := range r.former {
		if kek.ID() == wrapped.KEK {
			return kek, true
		}
	}
	return nil, false
}
