package picture_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn/views/picture"
)

func TestFit(t *testing.T) {
	for _, test := range []struct {
		text        string
		wide, lines int
		want        []string
	}{
		{"", 10, 2, nil},
		{"one two", 10, 2, []string{"one two"}},
		{"one two three", 7, 2, []string{"one two", "three"}},
		{"one two three", 7, 1, []string{"one tw…"}},
		{"abcdefghij", 4, 3, []string{"abcd", "efgh", "ij"}},
		{"昼食は？", 4, 2, []string{"昼食", "は？"}},
	} {
		if got := picture.Fit(test.text, test.wide, test.lines); strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%q in %d: %q", test.text, test.wide, got)
		}
	}
}

func TestFit_KeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, wide, lines := rapid.String().Draw(t, "text"), rapid.IntRange(2, 40).Draw(t, "wide"), rapid.IntRange(1, 5).Draw(t, "lines")
		got := picture.Fit(text, wide, lines)
		if len(got) > lines {
			t.Fatalf("%d lines", len(got))
		}
		for _, line := range got {
			if picture.Columns(line) > wide {
				t.Fatalf("%q is %d wide", line, picture.Columns(line))
			}
		}
	})
}

func TestDrawable(t *testing.T) {
	for text, want := range map[string]bool{"": true, "Tea, tée, τσάι, чай?": true, "茶": false, "شاي": false, "🍵": false} {
		if picture.Drawable(text) != want {
			t.Errorf("%q is drawable: %v", text, !want)
		}
	}
}
