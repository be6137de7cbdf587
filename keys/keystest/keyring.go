package keystest

import (
	"bytes"
	"sync"
	"testing"

	"github.com/oponn/oponn"
)

func createOpensAgain(t *testing.T, s suite) {
	ballot, wrapped, created := s.create(t)
	if wrapped.KEK == "" || len(wrapped.Blob) == 0 || len(wrapped.Commitment) != 32 {
		t.Errorf("the wrapped key has KEK %q, %d bytes of blob and %d of commitment",
			wrapped.KEK, len(wrapped.Blob), len(wrapped.Commitment))
	}
	voter, text := oponn.NewVoterID(), []byte("Tea or coffee?")
	sealed := created.Seal(nil, text, oponn.FieldDefinition)
	cached, err := s.Open(t.Context(), ballot, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]oponn.Key{"at once": cached, "anew": s.open(t, ballot, wrapped)} {
		t.Run(name, func(t *testing.T) {
			wantOpens(t, key, sealed, text, oponn.FieldDefinition)
			wantOpens(t, created, key.Seal(nil, text, oponn.FieldDefinition), text, oponn.FieldDefinition)
			tag := key.VoterTag(voter)
			if tag != created.VoterTag(voter) {
				t.Error("the voter's tag changed")
			}
			if key.WriteInID("mate") != created.WriteInID("mate") {
				t.Error("the write-in's id changed")
			}
			if key.Locator(tag, 3) != created.Locator(tag, 3) {
				t.Error("the locator changed")
			}
		})
	}
}

func createKeysDiffer(t *testing.T, s suite) {
	ballot, first, old := s.create(t)
	second, _, err := s.Create(t.Context(), ballot)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first.Blob, second.Blob) || bytes.Equal(first.Commitment, second.Commitment) {
		t.Error("two creations made one key")
	}
	sealed := old.Seal(nil, []byte("x"), oponn.FieldState)
	_, err = s.open(t, ballot, second).Open(nil, sealed, oponn.FieldState)
	wantCode(t, "the first key's value under the second", err, oponn.CodeInternal)
	wantOpens(t, s.open(t, ballot, first), sealed, []byte("x"), oponn.FieldState)
}

func openRefusesDamage(t *testing.T, s suite) {
	ballot, wrapped, _ := s.create(t)
	damage := func(what string, change func(*oponn.WrappedKey)) {
		t.Helper()
		w := wrapped
		change(&w)
		s.refuses(t, what, ballot, w)
	}
	for bit := range 8 * len(wrapped.Blob) {
		damage("a flipped bit of the blob", func(w *oponn.WrappedKey) { w.Blob = flipped(w.Blob, bit) })
	}
	for bit := range 8 * len(wrapped.Commitment) {
		damage("a flipped bit of the commitment", func(w *oponn.WrappedKey) { w.Commitment = flipped(w.Commitment, bit) })
	}
	damage("a short blob", func(w *oponn.WrappedKey) { w.Blob = w.Blob[:len(w.Blob)-1] })
	damage("a long blob", func(w *oponn.WrappedKey) { w.Blob = append(bytes.Clone(w.Blob), 0) })
	damage("no blob", func(w *oponn.WrappedKey) { w.Blob = nil })
	damage("a short commitment", func(w *oponn.WrappedKey) { w.Commitment = w.Commitment[:31] })
	damage("no commitment", func(w *oponn.WrappedKey) { w.Commitment = nil })
	damage("another KEK", func(w *oponn.WrappedKey) { w.KEK += "x" })
	damage("no KEK", func(w *oponn.WrappedKey) { w.KEK = "" })
	s.open(t, ballot, wrapped) // and the right one still opens
}

func openRefusesSwap(t *testing.T, s suite) {
	one, wrappedOne, _ := s.create(t)
	two, wrappedTwo, _ := s.create(t)
	s.refuses(t, "ballot one with key two", one, wrappedTwo)
	s.refuses(t, "ballot two with key one", two, wrappedOne)
	mixed := wrappedOne
	mixed.Commitment = wrappedTwo.Commitment
	s.refuses(t, "key one with commitment two", one, mixed)
	mixed = wrappedTwo
	mixed.Commitment = wrappedOne.Commitment
	s.refuses(t, "key two with commitment one", one, mixed)
}

func openKeepsNoBuffer(t *testing.T, s suite) {
	ballot, wrapped, _ := s.create(t)
	w := wrapped
	w.Blob, w.Commitment = bytes.Clone(w.Blob), bytes.Clone(w.Commitment)
	s.open(t, ballot, w)
	clear(w.Blob)
	clear(w.Commitment)
	if _, err := s.Open(t.Context(), ballot, w); err == nil {
		t.Error("the cleared wrapped key opened")
	}
	if _, err := s.Open(t.Context(), ballot, wrapped); err != nil {
		t.Error(err)
	}
}

func forgetOpensAgain(t *testing.T, s suite) {
	ballot, wrapped, created := s.create(t)
	s.Forget(ballot)
	s.Forget(ballot)
	s.Forget(oponn.NewBallotID())
	sealed := created.Seal(nil, []byte("x"), oponn.FieldState)
	wantOpens(t, s.open(t, ballot, wrapped), sealed, []byte("x"), oponn.FieldState)
	wantOpens(t, created, sealed, []byte("x"), oponn.FieldState)
}

// concurrent does everything at once, for the race detector.
func concurrent(t *testing.T, s suite) {
	type made struct {
		ballot  oponn.BallotID
		wrapped oponn.WrappedKey
		tag     oponn.VoterTag
		sealed  []byte
	}
	voter, text := oponn.NewVoterID(), []byte("a choice")
	ballots := make([]made, 4)
	for i := range ballots {
		ballot, wrapped, key := s.create(t)
		ballots[i] = made{ballot, wrapped, key.VoterTag(voter), key.Seal(nil, text, oponn.FieldChoice)}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 40 {
				m := ballots[i%len(ballots)]
				if i%5 == 0 {
					s.Forget(m.ballot)
				}
				key, err := s.Open(t.Context(), m.ballot, m.wrapped)
				if err != nil {
					t.Error(err)
					return
				}
				tag := key.VoterTag(voter)
				if tag != m.tag {
					t.Error("a tag changed")
				}
				wantOpens(t, key, m.sealed, text, oponn.FieldChoice)
				wantOpens(t, key, key.Seal(nil, text, oponn.FieldState), text, oponn.FieldState)
				if got, n, err := key.ReadLocator(key.Locator(tag, uint32(i))); got != tag || n != uint32(i) || err != nil {
					t.Errorf("a locator reads as %v, %d, %v", got, n, err)
				}
			}
		})
	}
	all.Wait()
}
