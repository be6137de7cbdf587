package oponn

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// The lengths that texts may have, in code points after NFC, and labels in
// bytes of UTF-8 too: one code point may take four.
const (
	MaxQuestion   = 500
	MaxLabel      = 200
	MaxLabelBytes = 1024
)

// FoldLabel returns the form under which two labels count as the same option:
// Unicode NFC, surrounding and repeated white space dropped, half- and
// full-width forms and letter case folded (Unicode Standard, sections 3.13 and
// 5.18; UAX #15; UAX #11).
func FoldLabel(label string) string {
	// A Caser may carry state: one per call. Folding can undo normalization,
	// so that comes last.
	folded := strings.Map(foldCherokee, cases.Fold().String(width.Fold.String(norm.NFC.String(label))))
	return norm.NFC.String(strings.Join(strings.Fields(folded), " "))
}

// foldCherokee mends cases.Fold, which swaps the cases of Cherokee where
// CaseFolding.txt folds the small letters to the capitals.
func foldCherokee(r rune) rune {
	switch {
	case r >= 0xab70 && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case r >= 0x13f8 && r <= 0x13fd:
		return r - 8
	}
	return r
}

// cleanText returns the text as it is kept: NFC, without surrounding white
// space. What it finds wrong comes as the code and message of a FieldError.
func cleanText(text string, maxRunes, maxBytes int) (clean, code, message string) {
	if !utf8.ValidString(text) {
		return text, "encoding", "This is not readable text (UTF-8)."
	}
	clean = strings.TrimSpace(norm.NFC.String(text))
	visible := false
	for _, r := range clean {
		if forbiddenRune(r) {
			return clean, "forbidden_character", "This has a control or direction-changing character. Please type it again without."
		}
		visible = visible || visibleRune(r)
	}
	switch {
	case clean == "":
		return clean, "required", "Please write something here."
	case !visible:
		return clean, "required", "This has no visible characters."
	case utf8.RuneCountInString(clean) > maxRunes:
		return clean, "too_long", "This is too long: at most " + itoa(maxRunes) + " characters."
	case len(clean) > maxBytes:
		return clean, "too_long", "This is too long: at most " + itoa(maxBytes) + " bytes."
	}
	return clean, "", ""
}

// forbiddenRune says whether a character could break a line, end a string or
// turn around how its neighbours are shown (UAX #9, explicit directional
// embeddings, overrides and isolates).
func forbiddenRune(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return true
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	case r == '\ufeff', r >= 0xfff9 && r <= 0xfffb, r&0xfffe == 0xfffe:
		return true
	}
	return false
}

// visibleRune says whether a character alone leaves ink. The Hangul fillers,
// the blank Braille pattern and the null notehead count as letters and symbols
// but show nothing.
func visibleRune(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\U0001d159':
		return false
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}
