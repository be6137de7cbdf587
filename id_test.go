package oponn_test

import (
	"cmp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestBallotID_ReadsWhatItWrote(t *testing.T) {
	for range 2000 {
		id := oponn.NewBallotID()
		text := id.String()
		if len(text) != 22 || strings.ContainsAny(text[:1], "-_") {
			t.Fatalf("a new id is spelled %q", text)
		}
		got, err := oponn.ParseBallotID(text)
		wantCode(t, err, "")
		if got != id {
			t.Fatalf("%q read as %v, want %v", text, got, id)
		}
	}
}

func TestParseBallotID_KnowsOneSpellingOnly(t *testing.T) {
	const good = "AAECAwQFBgcICQoLDA0ODw"
	if id, err := oponn.ParseBallotID(good); err != nil || id[15] != 15 {
		t.Fatalf("%q is read as %v, %v", good, id, err)
	}
	for name, text := range map[string]string{
		"empty":                    "",
		"too short":                good[:21],
		"too long":                 good + "A",
		"padded":                   good + "==",
		"stray bits at the end":    good[:21] + "x",
		"standard base64":          "AAECAwQFBgcICQoLDA0O+w",
		"a line break at the end":  good[:21] + "\n",
		"two line breaks":          good[:20] + "\r\n",
		"line break beside it all": good + "\n",
		"beginning with a dash":    "-" + good[1:],
		"beginning with a rule":    "_" + good[1:],
		"two bytes a character":    strings.Repeat("é", 11),
		"a space":                  " " + good[1:],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := oponn.ParseBallotID(text)
			wantCode(t, err, oponn.CodeNotFound)
		})
	}
}

func TestParseBallotID_AcceptsNothingItWouldNotWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[A-Za-z0-9_-]{21}[AQgwBx\n=]`).Draw(t, "text")
		if id, err := oponn.ParseBallotID(text); err == nil && id.String() != text {
			t.Fatalf("%q is read as %q", text, id)
		}
	})
}

func TestBallotID_ComparesByItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few values, so that equal beginnings are common.
		draw := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 127, 128, 255}), 16, 16)
		a, b := oponn.BallotID(draw.Draw(t, "a")), oponn.BallotID(draw.Draw(t, "b"))
		if got, want := cmp.Compare(a.Compare(b), 0), strings.Compare(string(a[:]), string(b[:])); got != want {
			t.Fatalf("compared as %d, want %d", got, want)
		}
		if a.Compare(a) != 0 {
			t.Fatal("differs from itself")
		}
	})
}

func TestVoteID_ReadsWhatItWrote(t *testing.T) {
	for range 2000 {
		id := oponn.NewVoteID()
		text := id.String()
		if text[14] != '4' || !strings.ContainsRune("89ab", rune(text[19])) {
			t.Fatalf("%q is no random UUID", text)
		}
		for _, spelling := range []string{text, strings.ToUpper(text)} {
			got, err := oponn.ParseVoteID(spelling)
			wantCode(t, err, "")
			if got != id {
				t.Fatalf("%q is read as %v", spelling, got)
			}
		}
	}
}

func TestParseVoteID(t *testing.T) {
	for name, text := range map[string]string{
		"version 4":     "9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b11",
		"version 7":     "018f2d3c-9d8b-7c3e-8a11-2b3c4d5e6f70",
		"any version":   "00000000-0000-0000-0000-000000000001",
		"the max UUID":  "ffffffff-ffff-ffff-ffff-ffffffffffff",
		"in upper case": "9F1C1C2E-7F3B-4B6A-9D52-3A0F1F6F2B11",
	} {
		t.Run("takes "+name, func(t *testing.T) {
			id, err := oponn.ParseVoteID(text)
			wantCode(t, err, "")
			if id.String() != strings.ToLower(text) {
				t.Fatalf("%q became %q", text, id)
			}
		})
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"the nil UUID":       "00000000-0000-0000-0000-000000000000",
		"braces":             "{9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b11}",
		"no dashes":          "9f1c1c2e7f3b4b6a9d523a0f1f6f2b11",
		"a URN":              "urn:uuid:9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b11",
		"dashes elsewhere":   "9f1c1c2-e7f3b-4b6a-9d52-3a0f1f6f2b11",
		"one dash missing":   "9f1c1c2e-7f3b-4b6a-9d5203a0f1f6f2b11",
		"too many dashes":    "9f1c1c2e-7f3b-4b6a-9d52-3a0f-f6f2b11",
		"letters beyond f":   "9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b1g",
		"one too short":      "9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b1",
		"a space at the end": "9f1c1c2e-7f3b-4b6a-9d52-3a0f1f6f2b11 ",
		"full-width digits":  "９９９９９９９９９９９９",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := oponn.ParseVoteID(text)
			wantFields(t, err, "vote_id: malformed")
		})
	}
}

func TestNewIDs_AreNeverTheSame(t *testing.T) {
	seen := make(map[[16]byte]bool)
	for range 500 {
		for _, id := range [][16]byte{oponn.NewBallotID(), oponn.NewVoterID(), oponn.NewOwnerID(), oponn.NewVoteID()} {
			if seen[id] {
				t.Fatalf("%x came twice", id)
			}
			seen[id] = true
		}
	}
}
