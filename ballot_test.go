package oponn_test

import (
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// draft returns a draft with nothing wrong but what its options may be.
func draft(options ...string) oponn.Draft {
	return oponn.Draft{Question: "What's for lunch?", Options: options}
}

// numbered returns n different labels.
func numbered(n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = "option " + strconv.Itoa(i+1)
	}
	return labels
}

func TestDraft_Check_CleansWhatItKeeps(t *testing.T) {
	d := oponn.Draft{
		Question:     "  Cafe\u0301 or\u00a0tea?\n",
		Options:      []string{"\tCafe\u0301 ", "Tea  with   milk"},
		AllowWriteIn: true,
	}
	got, _, err := d.Check(noon)
	wantCode(t, err, "")
	want := oponn.Definition{Question: "Café or\u00a0tea?", Labels: []string{"Café", "Tea  with   milk"}, AllowWriteIn: true}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("kept as %+v, want %+v", got, want)
	}
	if d.Options[0] != "\tCafe\u0301 " {
		t.Error("the draft was changed")
	}
}

func TestDraft_Check_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		draft oponn.Draft
		want  []string
	}{
		"no question":                     {oponn.Draft{Options: numbered(2)}, []string{"question: required"}},
		"a question of white space":       {oponn.Draft{Question: " \u3000\n", Options: numbered(2)}, []string{"question: required"}},
		"no options":                      {draft(), []string{"options: too_few"}},
		"one option":                      {draft("Soup"), []string{"options: too_few"}},
		"51 options":                      {draft(numbered(51)...), []string{"options: too_many"}},
		"an empty option":                 {draft("Soup", ""), []string{"options[1]: required"}},
		"the same option twice":           {draft("Soup", "Tea", "Soup"), []string{"options[2]: duplicate"}},
		"the same option thrice":          {draft("Soup", "Soup", "Soup"), []string{"options[1]: duplicate", "options[2]: duplicate"}},
		"an accent put together":          {draft("\u00c9clair", "E\u0301clair"), []string{"options[1]: duplicate"}},
		"full-width letters":              {draft("ＡＢＣ", "abc"), []string{"options[1]: duplicate"}},
		"half-width katakana":             {draft("ガム", "ｶﾞﾑ"), []string{"options[1]: duplicate"}},
		"sharp s":                         {draft("straße", "STRASSE"), []string{"options[1]: duplicate"}},
		"sigma at the end":                {draft("ΟΔΟΣ", "οδος"), []string{"options[1]: duplicate"}},
		"Cherokee, whose fold is capital": {draft("ᎠᏰ", "ꭰᏸ"), []string{"options[1]: duplicate"}},
		"white space around":              {draft("Soup", "  Soup "), []string{"options[1]: duplicate"}},
		"white space within":              {draft("Hot soup", "Hot \u3000 soup"), []string{"options[1]: duplicate"}},
		"no-break space":                  {draft("Hot soup", "Hot\u00a0soup"), []string{"options[1]: duplicate"}},
		"case, width, accent at once":     {draft("CAFÉ bar", " ｃafe\u0301  BAR"), []string{"options[1]: duplicate"}},
		"a bad option beside its like":    {draft("", "Soup", ""), []string{"options[0]: required", "options[2]: required"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, w, err := c.draft.Check(noon)
			wantFields(t, err, c.want...)
			if !reflect.DeepEqual(d, oponn.Definition{}) || w != (oponn.Window{}) {
				t.Error("something came with the error")
			}
		})
	}
}

func TestDraft_Check_Accepts(t *testing.T) {
	for name, options := range map[string][]string{
		"two options":                numbered(2),
		"fifty options":              numbered(50),
		"accents that differ":        {"e", "é", "è"},
		"emoji of several parts":     {"👩‍👩‍👧", "👩‍👧", "🏳️‍🌈"},
		"right to left":              {"שלום", "سلام"},
		"digits, signs, punctuation": {"1", "+", "?", "€"},
		"spaces that part words":     {"ab", "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, err := draft(options...).Check(noon)
			wantCode(t, err, "")
			if !slices.Equal(d.Labels, options) {
				t.Fatalf("kept as %q", d.Labels)
			}
		})
	}
}

func TestDraft_Check_NamesEveryFieldThatIsWrong(t *testing.T) {
	d := oponn.Draft{
		Question: strings.Repeat("?", oponn.MaxQuestion+1),
		Options:  []string{"Soup", "\x00", "soup", "\u202eTea"},
		Window:   oponn.Window{OpensAt: noon.AddDate(50, 0, 0), ClosesAt: noon.Add(-time.Second)},
	}
	_, _, err := d.Check(noon)
	wantFields(t, err, "question: too_long",
		"options[1]: forbidden_character", "options[2]: duplicate", "options[3]: forbidden_character",
		"opens_at: too_far", "closes_at: past")
}

func TestDraft_Check_TellsWhichOptionIsMeant(t *testing.T) {
	_, _, err := draft("", "Soup", "Tea", "TEA").Check(noon)
	wantFields(t, err, "options[0]: required", "options[3]: duplicate")
	if got := fieldsOf(err)[1].Message; !strings.Contains(got, "option 3") {
		t.Errorf("says %q", got)
	}
}

func TestDraft_Check_IsCheapHoweverManyOptions(t *testing.T) {
	d := draft(slices.Repeat([]string{""}, 100_000)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := d.Check(noon)
	runtime.ReadMemStats(&after)
	wantCode(t, err, oponn.CodeInvalid)
	if n := len(fieldsOf(err)); n > oponn.MaxOptions+1 {
		t.Errorf("%d fields are named", n)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<10 {
		t.Errorf("%d KiB of memory for a request to be refused", allocated>>10)
	}
}

func TestDraft_Check_FindsItsOwnResultRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := oponn.Draft{
			Question: rapid.String().Draw(t, "question"),
			Options:  rapid.SliceOfN(oddText(), 2, 6).Draw(t, "options"),
		}
		first, window, err := d.Check(noon)
		if err != nil {
			wantCode(t, err, oponn.CodeInvalid)
			return
		}
		again, _, err := oponn.Draft{Question: first.Question, Options: first.Labels, Window: window}.Check(noon)
		wantCode(t, err, "")
		if !reflect.DeepEqual(again, first) {
			t.Fatalf("%+v, then %+v", first, again)
		}
	})
}

func TestDefinition_OptionsAreNumberedFromOne(t *testing.T) {
	got := lunch().Options()
	want := []oponn.Option{{ID: "1", Label: "Soup"}, {ID: "2", Label: "Salad"}, {ID: "3", Label: "Noodles"}}
	if !slices.Equal(got, want) {
		t.Fatalf("options %v, want %v", got, want)
	}
}

func TestOpenBallot_OpensWhatWasSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := oponn.Definition{
			Question:     rapid.String().Draw(t, "question"),
			Labels:       rapid.SliceOfN(rapid.String(), 2, 6).Draw(t, "labels"),
			AllowWriteIn: rapid.Bool().Draw(t, "write-ins"),
		}
		if got := openBallot(t, want).Definition; !reflect.DeepEqual(got, want) {
			t.Fatalf("opened as %+v, want %+v", got, want)
		}
	})
}

func TestOpenBallot_CarriesWhatTheRecordSays(t *testing.T) {
	key := keyNamed("lunch")
	sealed, err := oponn.SealDefinition(key, lunch())
	wantCode(t, err, "")
	record := oponn.Record{Ballot: oponn.NewBallotID(), CreatedAt: noon, OwnerKey: [32]byte{1}, Definition: sealed}
	got, err := oponn.OpenBallot(record, key)
	wantCode(t, err, "")
	want := &oponn.Ballot{ID: record.Ballot, CreatedAt: noon, OwnerKey: [32]byte{1}, Definition: lunch(), Key: key}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("opened as %+v, want %+v", got, want)
	}
}

func TestOpenBallot_RefusesWhatIsNotItsOwn(t *testing.T) {
	key := keyNamed("lunch")
	good, err := oponn.SealDefinition(key, lunch())
	wantCode(t, err, "")
	for name, sealed := range map[string][]byte{
		"nothing":            nil,
		"altered":            append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"another ballot's":   keyNamed("dinner").Seal(nil, []byte("{}"), oponn.FieldDefinition),
		"a sealed state":     key.Seal(nil, []byte("{}"), oponn.FieldState),
		"not a definition":   key.Seal(nil, []byte("[1]"), oponn.FieldDefinition),
		"cut short":          good[:len(good)-1],
		"bound to something": key.Seal(nil, []byte("{}"), oponn.FieldDefinition, []byte("x")),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := oponn.OpenBallot(oponn.Record{Definition: sealed}, key)
			wantCode(t, err, oponn.CodeInternal)
		})
	}
}
