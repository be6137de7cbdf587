package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestBallot_Admits(t *testing.T) {
	at := func(revision uint32) *uint32 { return &revision }
	for _, c := range []struct {
		name       string
		protection oponn.Protection
		cast       oponn.Cast
		want       oponn.Code
	}{
		{"a browser's vote", oponn.ProtectedByBrowser, oponn.Cast{}, ""},
		{"a vote by code where there are none", oponn.ProtectedByBrowser, oponn.Cast{ByCode: true}, oponn.CodeInvalid},
		{"a vote by code", oponn.ProtectedByCodes, oponn.Cast{ByCode: true}, ""},
		{"a vote without the code it needs", oponn.ProtectedByCodes, oponn.Cast{}, oponn.CodeVoterRequired},
		{"a vote on the question as it stands", oponn.ProtectedByBrowser, oponn.Cast{Revision: at(3)}, ""},
		{"a vote on an older question", oponn.ProtectedByBrowser, oponn.Cast{Revision: at(2)}, oponn.CodeInvalid},
		{"a vote on a question that is yet to come", oponn.ProtectedByBrowser, oponn.Cast{Revision: at(4)}, oponn.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &oponn.Ballot{Definition: oponn.Definition{Revision: 3, Rules: oponn.Rules{Protection: c.protection}}}
			if got := oponn.CodeOf(b.Admits(&c.cast)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
