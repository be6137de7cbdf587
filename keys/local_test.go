package keys_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/keystest"
)

// localKEK returns a master key in a file of the test's own.
func localKEK(tb testing.TB) *keys.LocalKEK {
	tb.Helper()
	kek, err := keys.OpenLocal(filepath.Join(tb.TempDir(), "data", "key"))
	if err != nil {
		tb.Fatal(err)
	}
	return kek
}

func TestRing_OverLocalKEK(t *testing.T) {
	keystest.Run(t, func(t *testing.T) oponn.Keyring { return keys.NewRing(localKEK(t)) })
}

func TestRing_OverLocalKEK_WithoutCache(t *testing.T) {
	keystest.Run(t, func(t *testing.T) oponn.Keyring { return keys.NewRing(localKEK(t), keys.WithCacheAge(0)) })
}

func TestLocalKEK_UnwrapsAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	ballot, voter := oponn.NewBallotID(), oponn.NewVoterID()
	first, err := keys.OpenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, created, err := keys.NewRing(first).Create(t.Context(), ballot)
	if err != nil {
		t.Fatal(err)
	}
	second, err := keys.OpenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID() != second.ID() || wrapped.KEK != first.ID() {
		t.Errorf("one file has the ids %q, %q and %q", first.ID(), second.ID(), wrapped.KEK)
	}
	opened, err := keys.NewRing(second).Open(t.Context(), ballot, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if created.VoterTag(voter) != opened.VoterTag(voter) {
		t.Error("the key changed over a restart")
	}
}

func TestLocalKEK_RefusesAnotherKEKsKeyAndNamesBoth(t *testing.T) {
	mine, theirs, ballot := localKEK(t), localKEK(t), oponn.NewBallotID()
	wrapped, _, err := keys.NewRing(theirs).Create(t.Context(), ballot)
	if err != nil {
		t.Fatal(err)
	}
	_, err = keys.NewRing(mine).Open(t.Context(), ballot, wrapped)
	if oponn.CodeOf(err) != oponn.CodeInternal {
		t.Fatalf("got %v, want CodeInternal", err)
	}
	for _, id := range []string{mine.ID(), theirs.ID()} {
		if !strings.Contains(err.Error(), id) {
			t.Errorf("%q does not name %q", err, id)
		}
	}
}

func TestLocalKEK_RefusesABlobUnderAnotherKEKsName(t *testing.T) {
	mine, theirs, ballot := localKEK(t), localKEK(t), oponn.NewBallotID()
	_, blob, err := theirs.Generate(t.Context(), ballot)
	if err != nil {
		t.Fatal(err)
	}
	for name, blob := range map[string][]byte{"foreign": blob, "empty": {}, "version only": {1}, "unknown version": {9, 9}} {
		if _, err := mine.Unwrap(t.Context(), ballot, mine.ID(), blob); oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("%s: got %v, want CodeInternal", name, err)
		}
	}
}

func TestLocalKEK_IDSaysNothingOfTheKey(t *testing.T) {
	id := localKEK(t).ID()
	if digits, ok := strings.CutPrefix(id, "local:"); !ok || len(digits) != 16 {
		t.Errorf("got the id %q, want local: and 16 digits", id)
	}
}
