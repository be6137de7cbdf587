package oponn_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

func TestVotingCode_Plain(t *testing.T) {
	for range 1000 {
		code := oponn.NewVotingCode()
		plain := code.Plain()
		if len(plain) != 13 || strings.Trim(plain, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
			t.Fatalf("%s is %s in links", code, plain)
		}
		for _, text := range []string{plain, strings.ToLower(plain), string(code)} {
			got, err := oponn.ParsePlainCode(text)
			if wantCode(t, err, ""); got != code {
				t.Fatalf("%s is read as %s", text, got)
			}
		}
		_, err := oponn.ParseVotingCode(plain)
		wantCode(t, err, oponn.CodeCodeRefused) // whoever types has to type the check symbol
	}
	for _, text := range []string{"", "0", strings.Repeat("0", 12), strings.Repeat("0", 15), "000000000000/", "00000-00000-0001"} {
		_, err := oponn.ParsePlainCode(text)
		wantCode(t, err, oponn.CodeCodeRefused)
	}
}

func TestRecount_CompareCodes(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	protected := *l.ballot // the ledger knows of no codes
	protected.Definition.Protection = oponn.ProtectedByCodes
	codes, tags, err := protected.NewCodes(3)
	wantCode(t, err, "")
	l.append(t, noon, oponn.Change{}, l.vote(t, codes[0].Voter(), voteID(1), "1"), l.vote(t, codes[1].Voter(), voteID(2), "2"))
	r := oponn.NewRecount(&protected, nil)
	for _, row := range l.log {
		wantCode(t, r.Add(row), "")
	}
	for name, test := range map[string]struct {
		codes []oponn.VoterTag
		want  []string
	}{
		"all of them":       {tags, nil},
		"an unused is lost": {tags[:2], nil},
		"a used is lost":    {tags[1:], []string{"voters without a code: 1 of 2"}},
		"none":              {nil, []string{"voters without a code: 2 of 2"}},
	} {
		if got := r.CompareCodes(test.codes); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := oponn.NewRecount(openBallot(t, lunch()), nil).CompareCodes(nil); got != nil {
		t.Errorf("a ballot without codes: %q", got)
	}
}
