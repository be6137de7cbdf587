package oponn_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestChoose_TakesAnOptionByItsID(t *testing.T) {
	b := openBallot(t, oponn.Definition{Question: "Which?", Labels: numbered(50)})
	var all []oponn.Choice
	for _, option := range b.Definition.Options() {
		c, err := b.Choose([]oponn.OptionID{option.ID}, "", nil)
		wantCode(t, err, "")
		if slices.ContainsFunc(all, c.Equal) {
			t.Fatalf("option %s is the same as one before", option.ID)
		}
		if all = append(all, c); !c.Equal(c) {
			t.Fatalf("option %s differs from itself", option.ID)
		}
	}
}

func TestChoose_Refuses(t *testing.T) {
	closed := lunch()
	closed.AllowWriteIn = false
	for name, c := range map[string]struct {
		on      oponn.Definition
		ids     []oponn.OptionID
		writeIn string
		want    string
	}{
		"nothing":                    {lunch(), nil, "", "choices: required"},
		"two options":                {lunch(), []oponn.OptionID{"1", "2"}, "", "choices: too_many"},
		"one option twice":           {lunch(), []oponn.OptionID{"1", "1"}, "", "choices: too_many"},
		"an option and a text":       {lunch(), []oponn.OptionID{"1"}, "Stew", "choices: too_many"},
		"option zero":                {lunch(), []oponn.OptionID{"0"}, "", "choices: unknown_option"},
		"one beyond the last":        {lunch(), []oponn.OptionID{"4"}, "", "choices: unknown_option"},
		"an empty id":                {lunch(), []oponn.OptionID{""}, "", "choices: unknown_option"},
		"a leading zero":             {lunch(), []oponn.OptionID{"01"}, "", "choices: unknown_option"},
		"a plus sign":                {lunch(), []oponn.OptionID{"+1"}, "", "choices: unknown_option"},
		"a minus sign":               {lunch(), []oponn.OptionID{"-1"}, "", "choices: unknown_option"},
		"a space":                    {lunch(), []oponn.OptionID{" 1"}, "", "choices: unknown_option"},
		"another script's digit":     {lunch(), []oponn.OptionID{"１"}, "", "choices: unknown_option"},
		"a number out of this world": {lunch(), []oponn.OptionID{"99999999999999999999"}, "", "choices: unknown_option"},
		"a label":                    {lunch(), []oponn.OptionID{"Soup"}, "", "choices: unknown_option"},
		"an unknown write-in's id":   {lunch(), []oponn.OptionID{"wAAAAAAAAAAE"}, "", "choices: unknown_option"},
		"a text where none may be":   {closed, nil, "Stew", "write_in: not_allowed"},
		"an owner's option as text":  {closed, nil, "Soup", "write_in: not_allowed"},
		"a text of white space":      {lunch(), nil, " \u3000", "write_in: required"},
		"a text that shows nothing":  {lunch(), nil, "\u200b", "write_in: required"},
		"a text with an override":    {lunch(), nil, "\u202eStew", "write_in: forbidden_character"},
		"a text that is no text":     {lunch(), nil, "St\xffew", "write_in: encoding"},
		"a text that is too long":    {lunch(), nil, strings.Repeat("é", 201), "write_in: too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openBallot(t, c.on).Choose(c.ids, c.writeIn, nil)
			wantFields(t, err, c.want)
		})
	}
}

func TestChoose_TakesAWriteInThatEqualsAnOwnersOptionForIt(t *testing.T) {
	b := openBallot(t, oponn.Definition{Question: "Where?", Labels: []string{"Straße", "CAFÉ bar"}, AllowWriteIn: true})
	for text, id := range map[string]oponn.OptionID{
		"Straße": "1", "STRASSE": "1", " ｓtrasse\n": "1", "cafe\u0301  BAR": "2",
	} {
		want, err := b.Choose([]oponn.OptionID{id}, "", nil)
		wantCode(t, err, "")
		got, err := b.Choose(nil, text, nil)
		wantCode(t, err, "")
		if !got.Equal(want) {
			t.Errorf("%q is no vote for option %s", text, id)
		}
	}
}

func TestChoose_TakesEverySpellingOfAWriteInForTheSame(t *testing.T) {
	b := openBallot(t, lunch())
	stew, err := b.Choose(nil, "Stew", nil)
	wantCode(t, err, "")
	for text, same := range map[string]bool{"stew": true, " ＳＴＥＷ ": true, "stews": false, "Soup": false} {
		c, err := b.Choose(nil, text, nil)
		wantCode(t, err, "")
		if c.Equal(stew) != same {
			t.Errorf("%q equal to Stew: %v", text, !same)
		}
	}
}

func TestChoose_TakesAKnownWriteInByItsID(t *testing.T) {
	b := openBallot(t, lunch())
	stew := oponn.WriteIn{Number: 1, Option: oponn.Option{ID: b.Key.WriteInID("stew"), Label: "Stew", WriteIn: true}}
	byText, err := b.Choose(nil, "STEW", nil)
	wantCode(t, err, "")
	byID, err := b.Choose([]oponn.OptionID{stew.Option.ID}, "", []oponn.WriteIn{stew})
	wantCode(t, err, "")
	if !byID.Equal(byText) {
		t.Error("the same option by id and by text differ")
	}
}

// everyChoice returns a choice of each option and of two write-ins, one of
// them as long as can be.
func everyChoice(t *testing.T, b *oponn.Ballot) []oponn.Choice {
	t.Helper()
	var choices []oponn.Choice
	for _, option := range b.Definition.Options() {
		c, err := b.Choose([]oponn.OptionID{option.ID}, "", nil)
		wantCode(t, err, "")
		choices = append(choices, c)
	}
	if b.Definition.AllowWriteIn {
		for _, text := range []string{"x", strings.Repeat("🍜", oponn.MaxLabel)} {
			c, err := b.Choose(nil, text, nil)
			wantCode(t, err, "")
			choices = append(choices, c)
		}
	}
	return choices
}

func TestPrepare_SealsEveryChoiceOfABallotToOneLength(t *testing.T) {
	for n := oponn.MinOptions; n <= oponn.MaxOptions; n++ {
		for _, writeIns := range []bool{false, true} {
			b := openBallot(t, oponn.Definition{Question: "Which?", Labels: numbered(n), AllowWriteIn: writeIns})
			lengths := make(map[int]bool)
			for _, c := range everyChoice(t, b) {
				lengths[len(b.Prepare(voter(1), voteID(1), c).Sealed)] = true
			}
			if len(lengths) != 1 {
				t.Fatalf("%d options, write-ins %v: lengths %v", n, writeIns, lengths)
			}
		}
	}
}

func TestOpenChoice_OpensWhatWasPrepared(t *testing.T) {
	for n := oponn.MinOptions; n <= oponn.MaxOptions; n++ {
		for _, writeIns := range []bool{false, true} {
			b := openBallot(t, oponn.Definition{Question: "Which?", Labels: numbered(n), AllowWriteIn: writeIns})
			for i, c := range everyChoice(t, b) {
				v := b.Prepare(voter(i), voteID(i), c)
				got, err := b.OpenChoice(oponn.LoggedVote{Tag: v.Tag, ID: v.ID, Sealed: v.Sealed})
				wantCode(t, err, "")
				if !got.Equal(c) || !v.Choice.Equal(c) {
					t.Fatalf("choice %d of %d opened as another", i, n)
				}
			}
		}
	}
}

func TestOpenChoice_RefusesAVoteThatWasForgedOrMoved(t *testing.T) {
	b := openBallot(t, lunch())
	vote := func(voter oponn.VoterID, id oponn.VoteID, option oponn.OptionID) oponn.LoggedVote {
		c, err := b.Choose([]oponn.OptionID{option}, "", nil)
		wantCode(t, err, "")
		v := b.Prepare(voter, id, c)
		return oponn.LoggedVote{Tag: v.Tag, ID: v.ID, Sealed: v.Sealed}
	}
	good, other := vote(voter(1), voteID(1), "1"), vote(voter(2), voteID(2), "2")
	if _, err := b.OpenChoice(good); err != nil {
		t.Fatal(err)
	}
	sealed := func(field oponn.Field, plain ...byte) func(*oponn.LoggedVote) {
		return func(v *oponn.LoggedVote) { v.Sealed = b.Key.Seal(nil, plain, field, v.Tag[:], v.ID[:]) }
	}
	for name, spoil := range map[string]func(*oponn.LoggedVote){
		"moved to another voter":          func(v *oponn.LoggedVote) { v.Tag = other.Tag },
		"moved to another vote id":        func(v *oponn.LoggedVote) { v.ID = other.ID },
		"given another's choice":          func(v *oponn.LoggedVote) { v.Sealed = other.Sealed },
		"given the voter's other choice":  func(v *oponn.LoggedVote) { v.Sealed = vote(voter(1), voteID(2), "2").Sealed },
		"altered":                         func(v *oponn.LoggedVote) { v.Sealed = alter(v.Sealed) },
		"cut short":                       func(v *oponn.LoggedVote) { v.Sealed = v.Sealed[1:] },
		"emptied":                         func(v *oponn.LoggedVote) { v.Sealed = nil },
		"sealed as something else":        sealed(oponn.FieldState, make([]byte, 10)...),
		"sealed in a format to come":      sealed(oponn.FieldChoice, append([]byte{2}, make([]byte, 9)...)...),
		"sealed on a ballot of its own":   sealed(oponn.FieldChoice, 1, 1),
		"sealed with nothing in it":       sealed(oponn.FieldChoice),
		"sealed with too much in it":      sealed(oponn.FieldChoice, append([]byte{1}, make([]byte, 10)...)...),
		"sealed on a ballot of more bits": sealed(oponn.FieldChoice, 1, 1, 0),
	} {
		t.Run(name, func(t *testing.T) {
			v := good
			spoil(&v)
			_, err := b.OpenChoice(v)
			wantCode(t, err, oponn.CodeInternal)
		})
	}
}

// alter returns the bytes with one bit turned.
func alter(sealed []byte) []byte {
	altered := slices.Clone(sealed)
	altered[len(altered)/2] ^= 1
	return altered
}

func TestChoose_AndOpenChoiceAgreeOnAnyText(t *testing.T) {
	b := openBallot(t, lunch())
	rapid.Check(t, func(t *rapid.T) {
		text := oddText().Draw(t, "text")
		c, err := b.Choose(nil, text, nil)
		if err != nil {
			wantCode(t, err, oponn.CodeInvalid)
			return
		}
		v := b.Prepare(voter(1), voteID(1), c)
		got, err := b.OpenChoice(oponn.LoggedVote{Tag: v.Tag, ID: v.ID, Sealed: v.Sealed})
		wantCode(t, err, "")
		again, err := b.Choose(nil, norm.NFD.String(text)+" ", nil)
		wantCode(t, err, "")
		if !got.Equal(c) || !again.Equal(c) {
			t.Fatalf("%+q is another choice once opened or taken apart", text)
		}
	})
}
