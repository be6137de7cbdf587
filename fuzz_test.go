package oponn_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/oponn/oponn"
)

// FuzzNames reads ids and codes as somebody may type them. What is read is
// written back the same way, and what is written is read.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", "Zk3vQ9wL0aXr2TnB7yHdUg", "-k3vQ9wL0aXr2TnB7yHdUg", "Zk3vQ9wL0aXr2TnB7yHdUh", "6a3f0a5e-5a0d-4c7b-9a70-0d8c7d4b8a11", "00000000-0000-0000-0000-000000000000",
		"123456", "12 34-56", "１２３４５６", "٠١٢٣٤٥", "012345", "00000-00000-0000", "0000000000000", "ABCDE-FGHJK-MNP=", "oil00-00000-000U", "\xff", "AAAA\nAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := oponn.ParseBallotID(text); err == nil && id.String() != text {
			t.Errorf("the ballot %q is written %s", text, id)
		}
		if id, err := oponn.ParseVoteID(text); err == nil && id.String() != strings.ToLower(text) {
			t.Errorf("the vote %q is written %s", text, id)
		}
		if code, err := oponn.ParseJoinCode(text); err == nil {
			if again, err := oponn.ParseJoinCode(string(code)); len(code) != 6 || err != nil || again != code {
				t.Errorf("the join code %q is %q, then %q", text, code, again)
			}
		}
		if code, err := oponn.ParseVotingCode(text); err == nil {
			again, err := oponn.ParseVotingCode(string(code))
			plain, plainErr := oponn.ParsePlainCode(code.Plain())
			if err != nil || plainErr != nil || again != code || plain != code || again.Voter() != code.Voter() {
				t.Errorf("the code %q is %q, then %q and %q", text, code, again, plain)
			}
		}
		if code, err := oponn.ParsePlainCode(text); err == nil && len(code) != 16 {
			t.Errorf("the plain code %q is %q", text, code)
		}
	})
}

// FuzzDrafts checks ballots whose texts are anything. What is accepted is clean,
// and checking it again changes nothing.
func FuzzDrafts(f *testing.F) {
	for _, seed := range [][3]string{{"Tea or coffee?", "tea", "coffee"}, {"", "", ""}, {"?", "é", "e\u0301"}, {"?", "\u202eabc", "a\u200db"}, {"?", "\x00", "\xff"}, {"?", " a ", "A"},
		{"?", "ﬁ", "fi"}, {"?", strings.Repeat("x", 201), "y"}, {"?", "Ꭰ", "ꭰ"}, {"a\r\nb", "<b>", "&lt;b&gt;"}, {"?", "\u2028", "\ufeff"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, question, one, other string) {
		d, _, err := oponn.Draft{Question: question, Options: []string{one, other}}.Check(noon)
		if err != nil {
			if oponn.CodeOf(err) != oponn.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		for _, text := range append(slices.Clone(d.Labels), d.Question) {
			if !utf8.ValidString(text) || text != strings.TrimSpace(text) || text == "" || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("accepted is %q", text)
			}
			if fold := oponn.FoldLabel(text); oponn.FoldLabel(fold) != fold {
				t.Errorf("%q folds to %q, and that to %q", text, fold, oponn.FoldLabel(fold))
			}
		}
		again, _, err := oponn.Draft{Question: d.Question, Options: d.Labels}.Check(noon)
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%+v becomes %+v, %v", d, again, err)
		}
	})
}

// openKey opens everything: what comes out is what somebody put in.
type openKey struct{ oponn.Key }

func (openKey) Open(dst, sealed []byte, _ oponn.Field, _ ...[]byte) ([]byte, error) {
	return append(dst, sealed...), nil
}

func (openKey) Seal(dst, plain []byte, _ oponn.Field, _ ...[]byte) []byte {
	return append(dst, plain...)
}

// FuzzOpened decodes what a store may hold, as if whoever wrote it had the key:
// states, definitions, choices, labels. Nothing of it ends the process.
func FuzzOpened(f *testing.F) {
	definition := oponn.Definition{Question: "Lunch?", Labels: []string{"soup", "salad", "bread"}, AllowWriteIn: true}
	state, err := oponn.FirstState(definition, oponn.Window{}).Seal(openKey{}, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	for _, seed := range []string{"", "{}", "null", "[]", `{"question":"?","labels":["a"]}`, `{"Counts":[1,2,3]}`, "\x01\x07\x00\x00\x00\x00\x00\x00\x00\x00", "\x01\xff", `{"status":"closed","counts":[18446744073709551615]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		if s, err := oponn.OpenState(openKey{}, oponn.Head{Version: 1, Sealed: plain}); err == nil {
			s.Advance(noon)
			b := &oponn.Ballot{Definition: definition, Key: openKey{}}
			snapshot := oponn.Snapshot{Ballot: b, Version: 1, State: s}
			if got := snapshot.Results(); len(got) > len(definition.Labels) {
				t.Errorf("%d results", len(got))
			}
			snapshot.For(oponn.Onlooker{})
			again, err := s.Seal(openKey{}, 1)
			if err == nil {
				_, err = oponn.OpenState(openKey{}, oponn.Head{Version: 1, Sealed: again})
			}
			if err != nil {
				t.Errorf("%s is read, but what is written of it isn't: %v", plain, err)
			}
		}
		if b, err := oponn.OpenBallot(oponn.Record{Definition: plain}, openKey{}); err == nil {
			b.Definition.Options()
			_, _ = b.OpenChoice(oponn.LoggedVote{Sealed: plain})
		}
		b := &oponn.Ballot{Definition: definition, Key: openKey{}}
		_, _ = b.OpenChoice(oponn.LoggedVote{Sealed: plain})
		_, _ = oponn.OpenWriteIns(openKey{}, []oponn.SealedWriteIn{{Sealed: plain}})
	})
}
