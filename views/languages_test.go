package views_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/text/language"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

// pseudo is a language in which every text is its key with its arguments, in
// brackets that nothing else has.
func pseudo(t *testing.T) *locales.Locale {
	t.Helper()
	b, err := os.ReadFile("locales/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]json.RawMessage
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	for key, text := range texts {
		places := slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`\{\d\}`).FindAllString(string(text), -1))))
		texts[key], err = json.Marshal("⟦" + key + " " + strings.Join(places, " ") + "⟧")
		if err != nil {
			t.Fatal(err)
		}
	}
	texts["time.date"] = json.RawMessage(`"2006-01-02"`)
	if b, err = json.Marshal(texts); err != nil {
		t.Fatal(err)
	}
	l, err := locales.Parse(language.MustParse("tlh"), b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// spoken are the attributes that people see or hear, or that a script shows.
var spoken = []string{"alt", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "label", "placeholder", "title",
	"data-added", "data-as-of", "data-countdown", "data-done", "data-label", "data-local", "data-remove", "data-removed"}

// given is what stands on pages and is no language's: what people wrote, names,
// addresses, codes.
var given = regexp.MustCompile(`<script>alert\("1"\)</script>'"&|oponn\.example|\boponn\b|\bopo\b|\bnn\b|\bUTC\b|\btabs\b|\bneither\b|\bTabs or |` +
	ballotID + `|7f3a\S*|[0-9a-f-]{36}|https?://\S+|\w+\.csv|\.svg|\.png|\w+\.json|/ballots/\S*|abuse@example\.org|not_found|busy|` +
	`[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z*~$=]{4}`)

// No page says anything that isn't in the file of its language.
func TestPages_SayOnlyTexts(t *testing.T) {
	l := pseudo(t)
	for name, v := range pagesOf(views.Page{Locale: l, Assets: assets, Now: noon, Path: "/", Imprint: true}) {
		said := words(t, parse(t, render(t, v.Document())))
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "⟦") }) {
			t.Fatalf("%s says nothing", name)
		}
		for _, text := range said {
			rest := given.ReplaceAllString(outside(text), " ")
			if found := regexp.MustCompile(`\pL{2,}`).FindAllString(rest, -1); len(found) > 0 {
				t.Errorf("%s says %q, of which %v is no text of its language", name, text, found)
			}
		}
	}
}

// words are the texts of a document that people see or hear.
func words(t *testing.T, root *html.Node) []string {
	t.Helper()
	var said []string
	for n := range root.Descendants() {
		switch {
		case inEnglish(n): // and says so: the API's document
		case n.Type == html.TextNode && n.Parent.Data == "noscript" && n.Parent.Parent.Data != "head":
			said = append(said, words(t, parse(t, n.Data))...)
		case n.Type == html.TextNode && !slices.Contains([]string{"noscript", "script", "style", "textarea"}, n.Parent.Data) && !ownNamed(n.Parent):
			said = append(said, n.Data)
		case n.Type == html.ElementNode:
			for _, a := range n.Attr {
				// One of ours with several words is a text, too.
				if slices.Contains(spoken, a.Key) || strings.HasPrefix(a.Key, "data-") && strings.Contains(a.Val, " ") {
					said = append(said, a.Val)
				}
			}
			if name, _ := attr(n, "name"); n.Data == "meta" && name == "description" {
				value, _ := attr(n, "content")
				said = append(said, value)
			}
		}
	}
	return said
}

// inEnglish says whether a node is in a part that is marked as English.
func inEnglish(n *html.Node) bool {
	for p := n; p != nil; p = p.Parent {
		if lang, _ := attr(p, "lang"); lang == "en" && p.Data != "html" {
			return true
		}
	}
	return false
}

// ownNamed says whether an element names itself, whatever the page's language:
// a language in the switch, and a time zone.
func ownNamed(n *html.Node) bool {
	name, _ := attr(n, "name")
	if name == "language" {
		return true
	}
	for p := n.Parent; n.Data == "option" && p != nil; p = p.Parent {
		if id, _ := attr(p, "id"); id == "zone" {
			return true
		}
	}
	return false
}

// outside returns what stands outside all brackets.
func outside(text string) string {
	var b strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '⟦':
			depth++
		case r == '⟧':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Every page is whole in every language, and says which one it is in.
func TestPages_Languages(t *testing.T) {
	for _, l := range locales.All() {
		for name, v := range pagesOf(views.Page{Locale: l, Assets: assets, Now: noon, Path: "/ballots/" + ballotID + "?after=7", Imprint: true}) {
			text := render(t, v.Document())
			root := parse(t, text)
			lang, _ := attr(all(root, tag("html"))[0], "lang")
			dir, _ := attr(all(root, tag("html"))[0], "dir")
			if lang != l.Lang() || dir != l.Dir() || v.Lang() != lang {
				t.Errorf("%s in %s is called %s, %s", name, l.Lang(), lang, dir)
			}
			if found := regexp.MustCompile(`\{\d\}`).FindAllString(strings.Join(visible(root), " "), -1); len(found) > 0 {
				t.Errorf("%s in %s has empty places: %v", name, l.Lang(), found)
			}
			for _, attribute := range []string{"hx-post", "hx-sse:connect"} {
				for _, n := range all(root, func(n *html.Node) bool { _, ok := attr(n, attribute); return ok }) {
					if path, _ := attr(n, attribute); !strings.Contains(path, views.LanguageQuery+"="+lang) {
						t.Errorf("%s in %s asks %s for a part, in whatever language", name, lang, path)
					}
				}
			}
			if len(all(root, tag("footer"))) > 0 { // there is none on the projector, and in other pages
				checkSwitch(t, root, lang)
			}
		}
	}
}

// visible are the texts between the tags.
func visible(root *html.Node) []string {
	var texts []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			texts = append(texts, n.Data)
		}
	}
	return texts
}

func checkSwitch(t *testing.T, root *html.Node, lang string) {
	t.Helper()
	var offered, current []string
	for _, n := range all(root, func(n *html.Node) bool { name, _ := attr(n, "name"); return n.Data == "button" && name == "language" }) {
		value, _ := attr(n, "value")
		if named, _ := attr(n, "lang"); named != value || content(n) == "" {
			t.Errorf("the language %s is called %s, %q", value, named, content(n))
		}
		offered = append(offered, value)
		if _, ok := attr(n, "aria-current"); ok {
			current = append(current, value)
		}
	}
	if len(offered) != len(locales.All()) || !slices.Equal(current, []string{lang}) {
		t.Errorf("in %s the switch offers %v and marks %v", lang, offered, current)
	}
}

// The script has no texts of its own: they come with the page.
func TestScript_SaysNothing(t *testing.T) {
	b, err := os.ReadFile("static/oponn.js")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile(`(?m)//.*$`).ReplaceAllString(string(b), "")
	sentence := regexp.MustCompile(`^\pL[\pL',.!?]*( [\pL',!?][\pL',.!?]*)+$`)
	for _, m := range regexp.MustCompile("\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`").FindAllStringSubmatch(script, -1) {
		if text := m[1] + m[2] + m[3]; text != "use strict" && sentence.MatchString(text) {
			t.Errorf("the script says %q", text)
		}
	}
	shown := regexp.MustCompile(`(?:textContent|innerHTML|innerText|title|placeholder) *= *["'` + "`" + `][^"'\n]*\pL`)
	if found := shown.FindAllString(script, -1); found != nil {
		t.Errorf("the script shows %q", found)
	}
}

// apiOnly are errors of fields that no form has.
var apiOnly = []string{"hidden.not_a_write_in", "closes_at.conflict", "protection.not_allowed", "code.not_allowed"}

// What the domain and the forms find wrong has a sentence of its own in the
// language of the page.
func TestFieldErrors(t *testing.T) {
	// Those whose field is a variable.
	found := map[string]bool{"options[1].duplicate": true, "question.has_votes": true, "options.has_votes": true,
		"opens_at.required": true, "opens_at.malformed": true, "closes_at.required": true, "closes_at.malformed": true}
	literal := regexp.MustCompile(`(?:FieldError\{\{?Field: |flag\()"(\w+)", (?:Code: )?"(\w+)"`)
	choice := regexp.MustCompile(`wrongChoice\("(\w+)"`)
	clean := regexp.MustCompile(`return (?:clean|text), "(\w+)"`)
	for _, pattern := range []string{"../*.go", "../http/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/api") || strings.HasSuffix(file, "/body.go") {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
				found[m[1]+"."+m[2]] = true
			}
			for _, m := range choice.FindAllStringSubmatch(string(b), -1) {
				found["choices."+m[1]] = true
			}
			for _, m := range clean.FindAllStringSubmatch(string(b), -1) {
				for _, field := range []string{"question", "options[1]", "write_in"} {
					found[field+"."+m[1]] = true
				}
			}
		}
	}
	if len(found) < 30 {
		t.Fatalf("got %d errors: the patterns don't fit any more", len(found))
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		field, code, _ := strings.Cut(name, ".")
		errors := []oponn.FieldError{{Field: field, Code: code}}
		voting, creating := vote(), views.NewBallot{Options: []string{"a", "b"}, Errors: errors}
		voting.Errors = errors
		// The errors of choices are another matter on each of the two pages.
		if !slices.Contains(apiOnly, name) && speechless(t, views.NewPage(page, creating)) && (field != "choices" || speechless(t, views.VotePage(page, voting))) {
			t.Errorf("%s has no sentence of its own", name)
		}
	}
}

// speechless says whether a page has the sentence for errors that have none.
func speechless(t *testing.T, v views.View) bool {
	t.Helper()
	return strings.Contains(content(parse(t, render(t, v.Part()))), page.Locale.T("error.any.other"))
}
