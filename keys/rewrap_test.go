package keys_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/kmstest"
)

// rewrap replaces the ballot's wrapped key by what the ring makes of it.
func (b *sealedBallot) rewrap(t *testing.T, ring *keys.Ring) {
	t.Helper()
	moved, changed, err := ring.Rewrap(t.Context(), b.id, b.wrapped)
	if err != nil || !changed {
		t.Fatalf("Rewrap: changed %v, %v", changed, err)
	}
	if moved.KEK == b.wrapped.KEK || bytes.Equal(moved.Blob, b.wrapped.Blob) || !bytes.Equal(moved.Commitment, b.wrapped.Commitment) {
		t.Error("the rewrapped key has the KEK or blob of old, or a new commitment")
	}
	b.wrapped = moved
}

// adoptingRing is a Keyring whose keys are all made elsewhere and then adopted
// by KMS, so that the conformance suite sees adopted keys.
type adoptingRing struct {
	*keys.Ring
	maker *keys.Ring
}

func adopting(t *testing.T, kek keys.KEK) adoptingRing {
	t.Helper()
	local, err := keys.OpenLocal(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	return adoptingRing{newRing(kek, keys.WithFormer(local)), newRing(local)}
}

func (r adoptingRing) Create(ctx context.Context, ballot oponn.BallotID) (oponn.WrappedKey, oponn.Key, error) {
	wrapped, key, err := r.maker.Create(ctx, ballot)
	if err == nil {
		wrapped, _, err = r.Rewrap(ctx, ballot, wrapped)
	}
	return wrapped, key, err
}

// masters are master keys that a ballot may move between.
func masters(t *testing.T) (*kmstest.Server, map[string]keys.KEK) {
	t.Helper()
	server := kmstest.Start(t)
	server.CreateKey("alias/a")
	server.CreateKey("alias/b")
	found := map[string]keys.KEK{"KMS A": mustOpenKMS(t, config(server, "alias/a")), "KMS B": mustOpenKMS(t, config(server, "alias/b"))}
	for _, name := range []string{"local 1", "local 2"} {
		local, err := keys.OpenLocal(t.TempDir() + "/key")
		if err != nil {
			t.Fatal(err)
		}
		found[name] = local
	}
	elsewhere := kmstest.Start(t) // another KMS, which knows nothing of the first
	elsewhere.CreateKey("alias/c")
	found["KMS elsewhere"] = mustOpenKMS(t, config(elsewhere, "alias/c"))
	return server, found
}

func TestRewrap_BetweenAnyTwoMasterKeysAllStillOpens(t *testing.T) {
	_, keks := masters(t)
	for fromName, from := range keks {
		for toName, to := range keks {
			if from == to {
				continue
			}
			t.Run(fromName+" to "+toName, func(t *testing.T) {
				old := sealBallot(t, newRing(from))
				moved := old
				both := newRing(to, keys.WithFormer(from))
				moved.rewrap(t, both)
				for _, ballot := range []sealedBallot{old, moved} { // while the rotation runs
					ballot.wantOpens(t, both)
				}
				moved.wantOpens(t, newRing(to)) // after it
				old.wantFails(t, newRing(to), oponn.CodeInternal)
				moved.wantFails(t, newRing(from), oponn.CodeInternal)
				for name, third := range keks { // and on, whatever it was made by
					if third != from && third != to {
						again := moved
						again.rewrap(t, newRing(third, keys.WithFormer(to)))
						again.wantOpens(t, newRing(third))
						if t.Failed() {
							t.Fatalf("on to %s", name)
						}
					}
				}
			})
		}
	}
}

func TestRewrap_WithinKMSNobodySeesTheKey(t *testing.T) {
	server, keks := masters(t)
	ballot := sealBallot(t, newRing(keks["KMS A"]))
	generated, decrypted := server.Calls("GenerateDataKey"), server.Calls("Decrypt")
	ballot.rewrap(t, newRing(keks["KMS B"], keys.WithFormer(keks["KMS A"])))
	if server.Calls("ReEncrypt") != 1 || server.Calls("GenerateDataKey") != generated || server.Calls("Decrypt") != decrypted+1 {
		t.Error("want one ReEncrypt, and one Decrypt that checks its result")
	}
}

func TestRewrap_LeavesTheCurrentOneAlone(t *testing.T) {
	server, kek := openKMS(t)
	ring := newRing(kek)
	ballot := sealBallot(t, ring)
	calls := server.Calls("")
	same, changed, err := ring.Rewrap(t.Context(), ballot.id, ballot.wrapped)
	if err != nil || changed || !bytes.Equal(same.Blob, ballot.wrapped.Blob) || server.Calls("") != calls {
		t.Errorf("changed %v, %v, %d calls", changed, err, server.Calls("")-calls)
	}
}

func TestRewrap_RefusesWhatDoesNotOpen(t *testing.T) {
	_, keks := masters(t)
	for _, names := range [][2]string{{"KMS A", "KMS B"}, {"local 1", "KMS B"}, {"KMS A", "local 1"}} {
		from, ring := newRing(keks[names[0]]), newRing(keks[names[1]], keys.WithFormer(keks[names[0]]))
		one, two := sealBallot(t, from), sealBallot(t, from)
		damage := func(what string, ballot oponn.BallotID, w oponn.WrappedKey) {
			t.Helper()
			moved, changed, err := ring.Rewrap(t.Context(), ballot, w)
			if oponn.CodeOf(err) != oponn.CodeInternal || changed || moved.KEK != "" || moved.Blob != nil {
				t.Errorf("%v, %s: changed %v to %q, %v", names, what, changed, moved.KEK, err)
			}
		}
		damage("another ballot's key", one.id, two.wrapped)
		w := one.wrapped
		w.Commitment = two.wrapped.Commitment
		damage("another commitment", one.id, w)
		w = one.wrapped
		w.Blob = two.wrapped.Blob
		damage("another blob", one.id, w)
		w.Blob = nil
		damage("no blob", one.id, w)
		w.Blob = bytes.Clone(one.wrapped.Blob)
		w.Blob[len(w.Blob)-1] ^= 1
		damage("a flipped bit", one.id, w)
		w = one.wrapped
		w.KEK += "x"
		damage("an unknown master key", one.id, w)
		one.wantOpens(t, ring)
	}
}

func TestRewrap_DuringAnOutageNothingChanges(t *testing.T) {
	server, keks := masters(t)
	for _, from := range []string{"KMS A", "local 1"} {
		ballot := sealBallot(t, newRing(keks[from]))
		ring := newRing(keks["KMS B"], keys.WithFormer(keks[from]))
		for _, op := range []string{"ReEncrypt", "GenerateDataKey", "Decrypt"} {
			if op == map[string]string{"KMS A": "GenerateDataKey", "local 1": "ReEncrypt"}[from] {
				continue // which this way does without
			}
			server.Fail(kmstest.Fault{Op: op, Drop: true})
			_, changed, err := ring.Rewrap(t.Context(), ballot.id, ballot.wrapped)
			wantCode(t, err, oponn.CodeKeysUnavailable)
			if changed {
				t.Error("it was changed")
			}
			server.Heal()
		}
		ballot.rewrap(t, ring) // and when it is over, it goes on
		ballot.wantOpens(t, ring)
	}
}

// plainKEK has the three methods of a KEK and no more.
type plainKEK struct{ keys.KEK }

func TestRewrap_NeedsAMasterKeyThatTakesOver(t *testing.T) {
	_, keks := masters(t)
	ballot := sealBallot(t, newRing(keks["local 1"]))
	_, _, err := newRing(plainKEK{keks["local 2"]}, keys.WithFormer(keks["local 1"])).Rewrap(t.Context(), ballot.id, ballot.wrapped)
	wantCode(t, err, oponn.CodeInternal)
}
