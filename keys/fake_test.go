package keys

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// fakeKEK counts the unwraps, and lets a test come between.
type fakeKEK struct {
	KEK
	mu      sync.Mutex
	unwraps int
	before  func(context.Context) error // of every unwrap, when not nil
	handed  [][]byte                    // every plaintext DEK it gave out
}

func newFakeKEK(tb testing.TB) *fakeKEK {
	tb.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	local, err := newLocalKEK(key)
	if err != nil {
		tb.Fatal(err)
	}
	return &fakeKEK{KEK: local}
}

func (k *fakeKEK) Generate(ctx context.Context, ballot oponn.BallotID) (plain, blob []byte, err error) {
	plain, blob, err = k.KEK.Generate(ctx, ballot)
	k.hand(plain)
	return plain, blob, err
}

func (k *fakeKEK) Unwrap(ctx context.Context, ballot oponn.BallotID, kekID string, blob []byte) ([]byte, error) {
	k.mu.Lock()
	k.unwraps++
	before := k.before
	k.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return nil, err
		}
	}
	plain, err := k.KEK.Unwrap(ctx, ballot, kekID, blob)
	k.hand(plain)
	return plain, err
}

func (k *fakeKEK) hand(plain []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.handed = append(k.handed, plain)
}

func (k *fakeKEK) intercept(before func(context.Context) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = before
}

// wantUnwraps checks how often the KEK was asked so far.
func (k *fakeKEK) wantUnwraps(t *testing.T, want int) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unwraps != want {
		t.Errorf("the KEK was asked %d times, want %d", k.unwraps, want)
	}
}

func mustCreate(t *testing.T, ring *Ring) (oponn.BallotID, oponn.WrappedKey) {
	t.Helper()
	ballot := oponn.NewBallotID()
	wrapped, _, err := ring.Create(t.Context(), ballot)
	if err != nil {
		t.Fatal(err)
	}
	return ballot, wrapped
}

func mustOpen(t *testing.T, ring *Ring, ballot oponn.BallotID, wrapped oponn.WrappedKey) oponn.Key {
	t.Helper()
	key, err := ring.Open(t.Context(), ballot, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func wantCode(t *testing.T, err error, want oponn.Code) {
	t.Helper()
	if got := oponn.CodeOf(err); got != want {
		t.Errorf("got code %q (%v), want %q", got, err, want)
	}
}

// pass lets time go by in a synctest bubble: none of it is real.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
}
