package oponn_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// oddText draws texts rich in what normalization and folding touch.
func oddText() *rapid.Generator[string] {
	odd := []rune("aAbÉe\u0301ßẞſKÅİıiI\u0307σςΣΐᾳ\u0345ᾼǰJ\u030cﬁＡａｶﾞガ\uffa1\u3131각\u1100\u1161 \t\u00a0\u3000\u2003\u0308\u3099ꭰᎠ\u0958\u212b\u2126ŉ\u200b")
	return rapid.OneOf(
		rapid.StringOf(rapid.RuneFrom(odd)),
		rapid.StringOf(rapid.RuneFrom(odd, unicode.Mn, unicode.L)),
		rapid.String())
}

// checkLabel returns what is said of a label, as "options[1]: code", and the
// label as it is kept.
func checkLabel(t *testing.T, label string, want ...string) string {
	t.Helper()
	d, _, err := draft("the other", label).Check(noon)
	if len(want) > 0 {
		wantFields(t, err, "options[1]: "+want[0])
		return ""
	}
	wantCode(t, err, "")
	return d.Labels[1]
}

func TestLabels_MayNotHold(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"NUL":                        {"So\x00up", "forbidden_character"},
		"NUL at the end":             {"Soup\x00", "forbidden_character"},
		"a tab":                      {"Hot\tsoup", "forbidden_character"},
		"a line feed":                {"Hot\nsoup", "forbidden_character"},
		"escape":                     {"\x1b[31mSoup", "forbidden_character"},
		"delete":                     {"So\x7fup", "forbidden_character"},
		"a C1 control":               {"So\u009bup", "forbidden_character"},
		"a line separator":           {"Hot\u2028soup", "forbidden_character"},
		"a paragraph separator":      {"Hot\u2029soup", "forbidden_character"},
		"an embedding":               {"So\u202aup", "forbidden_character"},
		"an override":                {"So\u202eup", "forbidden_character"},
		"an isolate":                 {"So\u2066up", "forbidden_character"},
		"the end of an isolate":      {"So\u2069up", "forbidden_character"},
		"a byte order mark":          {"\ufeffSoup", "forbidden_character"},
		"an interlinear annotation":  {"So\ufff9up", "forbidden_character"},
		"a noncharacter":             {"So\uffffup", "forbidden_character"},
		"a noncharacter of plane 16": {"So\U0010fffeup", "forbidden_character"},
		"half a character":           {"So\xc3", "encoding"},
		"a surrogate":                {"So\xed\xa0\x80up", "encoding"},
		"an overlong NUL":            {"So\xc0\x80up", "encoding"},
		"nothing":                    {"", "required"},
		"spaces only":                {" \u00a0\u3000", "required"},
		"a zero-width space only":    {"\u200b", "required"},
		"joiners only":               {"\u200d\u200c", "required"},
		"marks only":                 {"\u0301\u0308", "required"},
		"a Hangul filler only":       {"\u3164\u115f", "required"},
		"a blank Braille pattern":    {"\u2800", "required"},
		"a null notehead":            {"\U0001d159", "required"},
		"a variation selector only":  {"\ufe0f", "required"},
		"tags only":                  {"\U000e0041\U000e007f", "required"},
		"a soft hyphen only":         {"\u00ad", "required"},
	} {
		t.Run(name, func(t *testing.T) { checkLabel(t, c.text, c.code) })
	}
}

func TestLabels_MayHold(t *testing.T) {
	for name, text := range map[string]string{
		"joiners within an emoji":    "👩‍🚀",
		"joiners within a word":      "می\u200cخواهم",
		"a mark on a filler's side":  "ᄀ\u1160",
		"a replacement character":    "So\ufffdup",
		"marks of direction":         "\u200fשלום!",
		"a flag":                     "🇮🇪",
		"one character":              "x",
		"markup, which is only text": `<b onclick="x()">'&amp;`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := checkLabel(t, text); got != text {
				t.Fatalf("kept as %q", got)
			}
		})
	}
}

func TestLabels_AreMeasuredInCodePointsOfNFC(t *testing.T) {
	for name, c := range map[string]struct {
		part  string
		parts int // that are 200 code points after NFC
	}{
		"one byte each":                 {"a", 200},
		"two bytes each":                {"ß", 200},
		"three bytes each":              {"あ", 200},
		"four bytes each":               {"🍜", 200},
		"a letter and its mark are one": {"e\u0301", 200},
		"one that NFC takes apart":      {"\u0958", 100},
		"several to a picture":          {"👩‍🚀", 66},
	} {
		t.Run(name, func(t *testing.T) {
			full := strings.Repeat(c.part, c.parts)
			full += strings.Repeat("x", 200-utf8.RuneCountInString(norm.NFC.String(full)))
			got := checkLabel(t, "  "+full+"  ")
			if n := utf8.RuneCountInString(got); n != oponn.MaxLabel || len(got) > oponn.MaxLabelBytes {
				t.Fatalf("%d code points in %d bytes were kept", n, len(got))
			}
			checkLabel(t, full+"x", "too_long")
		})
	}
}

func TestQuestions_AreMeasuredInCodePointsOfNFC(t *testing.T) {
	for _, part := range []string{"a", "あ", "🍜", "e\u0301"} {
		full := oponn.Draft{Question: strings.Repeat(part, 500), Options: numbered(2)}
		_, _, err := full.Check(noon)
		wantCode(t, err, "")
		full.Question += "?"
		_, _, err = full.Check(noon)
		wantFields(t, err, "question: too_long")
	}
}

func TestQuestions_AreOneReadableLine(t *testing.T) {
	for text, code := range map[string]string{
		"two\nlines?":  "forbidden_character",
		"\u202egnorw?": "forbidden_character",
		"half \xe2?":   "encoding",
		"\u200b":       "required",
	} {
		_, _, err := oponn.Draft{Question: text, Options: numbered(2)}.Check(noon)
		wantFields(t, err, "question: "+code)
	}
}

func TestFoldLabel(t *testing.T) {
	for label, want := range map[string]string{
		"":                 "",
		" \t\u3000 ":       "",
		"Soup":             "soup",
		"  Hot \u3000SOUP": "hot soup",
		"ＡＢＣ１２３":           "abc123",
		"ｶﾞﾑ":              "ガム",
		"E\u0301":          "é",
		"STRASSE":          "strasse",
		"straße":           "strasse",
		"STRAẞE":           "strasse",
		"ΟΔΟΣ":             "οδοσ",
		"\u212b":           "å",
		"ﬁsh":              "fish",
		"Ａ\u030a":          "å",
	} {
		if got := oponn.FoldLabel(label); got != want {
			t.Errorf("%q folds to %q, want %q", label, got, want)
		}
	}
}

func TestFoldLabel_KeepsApartWhatIsNotTheSame(t *testing.T) {
	seen := make(map[string]string)
	for _, label := range []string{"a", "á", "à", "ab", "a b", "ı", "i", "カ", "ガ", "1", "①", "a\u200db"} {
		fold := oponn.FoldLabel(label)
		if other, twice := seen[fold]; twice {
			t.Errorf("%q and %q both fold to %q", other, label, fold)
		}
		seen[fold] = label
	}
}

func TestFoldLabel_OfAFoldIsTheFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := oponn.FoldLabel(oddText().Draw(t, "label"))
		if twice := oponn.FoldLabel(once); twice != once {
			t.Fatalf("%+q folds on to %+q", once, twice)
		}
	})
}

func TestFoldLabel_IsTheSameForEveryFormOfAText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := oddText().Draw(t, "label")
		want := oponn.FoldLabel(label)
		for name, form := range map[string]string{
			"taken apart":  norm.NFD.String(label),
			"put together": norm.NFC.String(label),
			"with space":   "\u3000 " + label + "\n",
		} {
			if got := oponn.FoldLabel(form); got != want {
				t.Fatalf("%+q %s folds to %+q, want %+q", label, name, got, want)
			}
		}
	})
}
