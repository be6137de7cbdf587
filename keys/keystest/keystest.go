// Package keystest is the conformance suite of oponn.Keyring: what every
// implementation promises to the rest of the program.
package keystest

import (
	"bytes"
	"testing"

	"github.com/oponn/oponn"
)

// Run tests a Keyring. The function returns a fresh one for each test, over a
// master key that stays reachable; it may keep it in a cache or not.
func Run(t *testing.T, newKeyring func(t *testing.T) oponn.Keyring) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, suite)
	}{
		{"Create/OpensAgain", createOpensAgain},
		{"Create/KeysDiffer", createKeysDiffer},
		{"Open/RefusesDamage", openRefusesDamage},
		{"Open/RefusesAnotherBallotsKey", openRefusesSwap},
		{"Open/SurvivesTheCallersBuffer", openKeepsNoBuffer},
		{"Forget/OpensAgain", forgetOpensAgain},
		{"Seal/Roundtrip", sealRoundtrip},
		{"Seal/AppendsToDst", sealAppends},
		{"Seal/LengthTellsNothing", sealLength},
		{"Seal/NeverTheSame", sealNeverTheSame},
		{"Seal/OpensNowhereElse", sealOpensNowhereElse},
		{"Seal/BindingsAreNotJoined", sealBindings},
		{"Seal/RefusesDamage", sealRefusesDamage},
		{"VoterTag/OnePerVoterAndBallot", voterTags},
		{"WriteInID/OnePerFoldAndBallot", writeInIDs},
		{"Locator/Roundtrip", locatorRoundtrip},
		{"Locator/OnePerVoteAndBallot", locatorsDiffer},
		{"Locator/ForgedIsNotFound", locatorForged},
		{"Concurrent", concurrent},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, suite{newKeyring(t)}) })
	}
}

// suite is a Keyring under test.
type suite struct{ oponn.Keyring }

// create makes a ballot's key.
func (s suite) create(t *testing.T) (oponn.BallotID, oponn.WrappedKey, oponn.Key) {
	t.Helper()
	ballot := oponn.NewBallotID()
	wrapped, key, err := s.Create(t.Context(), ballot)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return ballot, wrapped, key
}

// open opens a ballot's key anew, not from a cache.
func (s suite) open(t *testing.T, ballot oponn.BallotID, wrapped oponn.WrappedKey) oponn.Key {
	t.Helper()
	s.Forget(ballot)
	key, err := s.Open(t.Context(), ballot, wrapped)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return key
}

// refuses checks that a wrapped key does not open, whether the ballot's right
// key is in the cache or not.
func (s suite) refuses(t *testing.T, what string, ballot oponn.BallotID, wrapped oponn.WrappedKey) {
	t.Helper()
	for range 2 {
		key, err := s.Open(t.Context(), ballot, wrapped)
		wantCode(t, what, err, oponn.CodeInternal)
		if key != nil {
			t.Errorf("%s: got a key with the error", what)
		}
		s.Forget(ballot)
	}
}

func wantCode(t *testing.T, what string, err error, want oponn.Code) {
	t.Helper()
	if got := oponn.CodeOf(err); got != want {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

func wantOpens(t *testing.T, key oponn.Key, sealed, want []byte, field oponn.Field, bindings ...[]byte) {
	t.Helper()
	got, err := key.Open(nil, sealed, field, bindings...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s opens to %q, %v; want %q", field, got, err, want)
	}
}

// flipped returns a copy of b with one bit flipped.
func flipped(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}
