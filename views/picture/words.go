package picture

import (
	"strings"

	"golang.org/x/text/width"
)

// Advance is how wide a character is, in parts of the font's size; a character
// of East Asia is twice as wide.
const Advance = 0.6

// Columns returns how many characters wide a text is.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n += columns(r)
	}
	return n
}

func columns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Fit returns the lines of a text that are at most so many columns wide, and at
// most so many lines: what there is no room for ends in an ellipsis.
func Fit(text string, wide, lines int) []string {
	var all []string
	line, used := "", 0
	flush := func() {
		if line != "" {
			all = append(all, line)
		}
		line, used = "", 0
	}
	for word := range strings.FieldsSeq(text) {
		if n := Columns(word); used > 0 && used+1+n > wide {
			flush()
		} else if used > 0 {
			line, used = line+" ", used+1
		}
		for _, r := range word { // one that is too long is broken anywhere
			if n := columns(r); used+n > wide {
				flush()
			}
			line, used = line+string(r), used+columns(r)
		}
		if len(all) > lines {
			break
		}
	}
	flush()
	if len(all) <= lines {
		return all
	}
	all = all[:lines]
	last := []rune(all[lines-1])
	for len(last) > 0 && Columns(string(last)) >= wide {
		last = last[:len(last)-1]
	}
	all[lines-1] = strings.TrimSpace(string(last)) + "…"
	return all
}

// FitLine is the text in one line of so many columns.
func FitLine(text string, wide int) string {
	for _, line := range Fit(text, wide, 1) {
		return line
	}
	return ""
}
