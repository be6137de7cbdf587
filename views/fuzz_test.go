package views_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

// pagesWith are pages that show a text of somebody's, wherever one may stand.
func pagesWith(t *testing.T, text string) map[string]string {
	t.Helper()
	chosen := []oponn.Option{{ID: "1", Label: "tabs"}, {ID: "2", Label: text}, {ID: "wAbCdEfGhIjK", Label: text, WriteIn: true}}
	shown := views.Result{Status: oponn.Open, Votes: 3}
	for _, o := range chosen {
		shown.Options = append(shown.Options, oponn.Result{Option: o, Votes: 1})
	}
	v, r, p := vote(), results(), present()
	v.Question, v.Options, v.WriteInText, v.Code = text, chosen, text, text
	v.Errors = []oponn.FieldError{{Field: "write_in", Code: "too_long", Message: text}}
	r.Question, r.Result = text, shown
	p.Question, p.Result = text, shown
	n := views.NewBallot{Question: text, Options: []string{text, "b"}, Min: text, Max: text, RetentionDays: text, Window: views.FormWindow{OpensAt: text, Zone: text},
		Errors: []oponn.FieldError{{Field: "options[0]", Code: "duplicate", Message: text}}}
	m := views.Manage{ID: ballotID, Question: text, Result: shown, WriteIns: shown.Options[2:], ShareURL: "https://oponn.example/b/x", Edit: &n}
	pages := map[string]string{"fragment": render(t, views.ResultFragment(locales.Match("ar"), shown))}
	for name, view := range map[string]views.View{
		"vote": views.VotePage(page, v), "results": views.ResultsPage(page, r), "present": views.PresentPage(page, p), "new": views.NewPage(page, n), "manage": views.ManagePage(page, m),
		"report": views.ReportPage(page, views.Report{ID: ballotID, Question: text, Reason: text, Text: text}),
		"home":   views.HomePage(page, views.Home{Path: "/", Typed: text, Ballots: []views.Summary{{ID: ballotID, Question: text, Status: oponn.Open}}}),
	} {
		pages[name] = render(t, view.Document())
		pages[name+", a part"] = render(t, view.Part())
	}
	return pages
}

// elements counts what a page is made of.
func elements(root *html.Node) (list []string) {
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			var names []string
			for _, a := range n.Attr {
				names = append(names, a.Key)
				leads := slices.Contains([]string{"href", "src", "action", "formaction", "hx-get", "hx-post", "data"}, a.Key)
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || leads && strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
					list = append(list, "!"+a.Key+"="+a.Val)
				}
			}
			slices.Sort(names)
			list = append(list, n.Data+" "+strings.Join(names, " "))
		case html.CommentNode:
			list = append(list, "!comment")
		default: // a text
		}
	}
	return list
}

// FuzzPages shows any text on every kind of page, and reads the page back: it is
// made of what it would be made of with a plain text, nothing acts, and where
// the text stands it is itself.
func FuzzPages(f *testing.F) {
	for _, seed := range []string{"plain", hostile, `"><img src=x onerror=alert(1)>`, "</title><script>", "</textarea><svg/onload=1>", "javascript:alert(1)", "' onmouseover='x", "<!--", "-->", "]]>",
		"&lt;b&gt;", "&#60;script&#62;", "\u2028\u2029", "a\x00b", "\xff\xfe", "{{7*7}}", "${x}", "`", "</noscript><b>", "</style>", "<plaintext>", "data: x\n\nevent: end", "\r\n\r\nHTTP/1.1", strings.Repeat("<", 300)} {
		f.Add(seed)
	}
	var plain map[string][]string
	f.Fuzz(func(t *testing.T, text string) {
		if plain == nil {
			plain = make(map[string][]string)
			for name, page := range pagesWith(t, "plain") {
				plain[name] = elements(parse(t, page))
			}
		}
		if text == "" {
			return // a text that is missing shows less
		}
		for name, page := range pagesWith(t, text) {
			root := parse(t, page)
			got, want := elements(root), plain[name]
			if !slices.Equal(got, want) {
				t.Fatalf("%s: with %q there are\n%s\ninstead of\n%s", name, text, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if strings.ContainsAny(text, "\x00\r") || strings.ToValidUTF8(text, "") != text {
				continue // parsers change these, and drafts refuse them
			}
			if name == "fragment" && !shows(root, text) {
				t.Errorf("%s: %q isn't there as itself: %s", name, text, page)
			}
		}
	})
}

// shows says whether a text stands somewhere as it is, or with its ends trimmed.
func shows(root *html.Node, text string) bool {
	want := strings.Join(strings.Fields(text), " ")
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.Contains(strings.Join(strings.Fields(n.Data), " "), want) {
			return true
		}
	}
	return false
}
