package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
)

func TestRing_GivesEveryErrorOfTheKEKACode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want oponn.Code
	}{
		{unavailable(errors.New("connection refused")), oponn.CodeKeysUnavailable},
		{fmt.Errorf("calling: %w", unavailable(nil)), oponn.CodeKeysUnavailable},
		{context.DeadlineExceeded, oponn.CodeKeysUnavailable},
		{fmt.Errorf("calling: %w", context.Canceled), oponn.CodeKeysUnavailable},
		{denied(errors.New("AccessDeniedException")), oponn.CodeKeysUnavailable},
		{fmt.Errorf("calling: %w", denied(errors.New("DisabledException"))), oponn.CodeKeysUnavailable},
		{errors.New("who knows"), oponn.CodeInternal},
		{refused("damaged"), oponn.CodeInternal},
		{oponn.Errorf(oponn.CodeNotFound, "There is no such key."), oponn.CodeInternal},
	} {
		ring, kek, ballot, wrapped := forgotten(t)
		kek.intercept(func(context.Context) error { return test.err })
		_, err := ring.Open(t.Context(), ballot, wrapped)
		wantCode(t, err, test.want)
		if !errors.Is(err, test.err) {
			t.Errorf("%v does not wrap %v", err, test.err)
		}
		var e *oponn.Error
		if errors.As(err, &e) && (e.RetryAfter > 0) != (test.want == oponn.CodeKeysUnavailable) {
			t.Errorf("%v says to retry after %v", err, e.RetryAfter)
		}
	}
}

// stuckKEK never answers.
type stuckKEK struct{ KEK }

func (stuckKEK) Generate(ctx context.Context, _ oponn.BallotID) (plain, blob []byte, err error) {
	<-ctx.Done()
	return nil, nil, ctx.Err()
}

func TestRing_CreateFailsClearlyWhenTheKEKIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, key, err := NewRing(stuckKEK{}, WithDeadline(time.Second)).Create(t.Context(), oponn.NewBallotID())
		wantCode(t, err, oponn.CodeKeysUnavailable)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v, want 1s", took)
		}
		if key != nil {
			t.Error("got a key with the error")
		}
	})
}

func TestRing_WipesWhatTheKEKHandsIt(t *testing.T) {
	ring, kek, ballot, wrapped := forgotten(t)
	mustOpen(t, ring, ballot, wrapped)
	if len(kek.handed) != 2 {
		t.Fatalf("the KEK handed out %d keys, want 2", len(kek.handed))
	}
	for _, plain := range kek.handed {
		if !bytes.Equal(plain, make([]byte, DEKSize)) {
			t.Error("a plaintext DEK was left behind")
		}
	}
}

// fixedKEK hands out one DEK to all. It is a function, so that printing shows
// nothing.
type fixedKEK func() []byte

func fixed(size int) fixedKEK { return func() []byte { return bytes.Repeat([]byte("S"), size) } }

func (fixedKEK) ID() string { return "fixed" }

func (k fixedKEK) Generate(context.Context, oponn.BallotID) (plain, blob []byte, err error) {
	return k(), []byte("blob"), nil
}

func (k fixedKEK) Unwrap(context.Context, oponn.BallotID, string, []byte) ([]byte, error) {
	return k(), nil
}

func TestRing_RefusesADEKOfAnotherLengthAndDoesNotShowIt(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33, 64} {
		kek := fixed(size)
		_, _, created := NewRing(kek).Create(t.Context(), oponn.NewBallotID())
		_, opened := NewRing(kek).Open(t.Context(), oponn.NewBallotID(), oponn.WrappedKey{KEK: "fixed"})
		for _, err := range []error{created, opened} {
			wantCode(t, err, oponn.CodeInternal)
			if s := fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)); strings.Contains(s, "SSSSSSSS") || strings.Contains(s, "53535353") {
				t.Errorf("the error shows the key: %s", s)
			}
		}
	}
}

// The salt of HKDF separates ballots even when a KEK does not.
func TestRing_OneDEKOnTwoBallotsIsTwoKeys(t *testing.T) {
	ring := NewRing(fixed(DEKSize))
	one, wrapped := mustCreate(t, ring)
	two, wrappedTwo := mustCreate(t, ring)
	if _, err := ring.Open(t.Context(), two, wrapped); oponn.CodeOf(err) != oponn.CodeInternal {
		t.Errorf("the commitment of ballot one holds on ballot two: %v", err)
	}
	voter := oponn.NewVoterID()
	if mustOpen(t, ring, one, wrapped).VoterTag(voter) == mustOpen(t, ring, two, wrappedTwo).VoterTag(voter) {
		t.Error("a voter has one tag on two ballots")
	}
}
