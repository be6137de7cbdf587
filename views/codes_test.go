package views_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// Every code is on the page, in one sheet or a form for another one, and the
// first form has them all.
func TestCodesPage(t *testing.T) {
	for count, sheets := range map[int]int{1: 1, 240: 1, 241: 2, oponn.MaxNewCodes: 42} {
		codes := make([]oponn.VotingCode, count)
		for i := range codes {
			codes[i] = oponn.NewVotingCode()
		}
		var linked []oponn.VotingCode
		text := render(t, views.CodesPage(page, views.Codes{ID: ballotID, Question: hostile, Site: "oponn.example", All: codes, Link: func(code oponn.VotingCode) string {
			linked = append(linked, code)
			return "https://oponn.example/ballots/" + ballotID + "/codes/" + code.Plain()
		}}).Document())
		root := parse(t, text)
		var fields []string
		for _, n := range all(root, func(n *html.Node) bool { name, _ := attr(n, "name"); return name == "codes" }) {
			value, _ := attr(n, "value")
			fields = append(fields, value)
		}
		if len(fields) != sheets {
			t.Fatalf("%d codes: %d forms, want %d", count, len(fields), sheets)
		}
		var printed []string
		for _, n := range all(root, func(n *html.Node) bool { class, _ := attr(n, "class"); return class == "card-code" }) {
			printed = append(printed, content(n))
		}
		if len(printed) != len(linked) || len(all(root, tag("svg"))) != len(printed) {
			t.Errorf("%d codes: %d printed, %d links", count, len(printed), len(linked))
		}
		if got := strings.Join(append(printed, fields[1:]...), " "); got != fields[0] || len(strings.Fields(got)) != count {
			t.Errorf("%d codes: the sheets have %d of them", count, len(strings.Fields(got)))
		}
		if len(text) > 2<<20 {
			t.Errorf("%d codes: a page of %d bytes", count, len(text))
		}
	}
}
