package views_test

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
	"github.com/oponn/oponn/views/openapi"
)

// hostile is a text that must come out as text.
const hostile = `<script>alert("1")</script>'"&`

const ballotID = "Zk3vQ9wL0aXr2TnB7yHdUg"

var (
	noon   = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	assets = views.NewAssets()
	page   = views.Page{Locale: locales.Match("en"), Assets: assets, Now: noon}
)

func options() []oponn.Option {
	return []oponn.Option{{ID: "1", Label: "tabs"}, {ID: "2", Label: hostile}, {ID: "wAbCdEfGhIjK", Label: "neither", WriteIn: true}}
}

func vote() views.Vote {
	return views.Vote{ID: ballotID, Question: "Tabs or " + hostile + "?", Options: options(), AllowWriteIn: true,
		Status: oponn.Open, Votes: 2885, ClosesAt: noon.Add(time.Minute), VoteID: "5f0c6a52-2f1b-4b7e-9c5d-3c1f6f4f2f10",
		ShareURL: "https://oponn.example/ballots/" + ballotID}
}

func result(counts ...uint64) views.Result {
	r := views.Result{Status: oponn.Open, ClosesAt: noon.Add(time.Minute)}
	for i, o := range options()[:len(counts)] {
		r.Options = append(r.Options, oponn.Result{Option: o, Votes: counts[i]})
		r.Votes += counts[i]
	}
	return r
}

func results() views.Results {
	return views.Results{ID: ballotID, Question: "Tabs or " + hostile + "?", Result: result(1204, 861, 2), Version: 7,
		Receipt:  &oponn.Receipt{VoteID: oponn.VoteID{1}, Locator: "7f3aQm0Lk2WvXc8RtYpZbdc2", Version: 6, At: noon},
		ShareURL: "https://oponn.example/ballots/" + ballotID}
}

func present() views.Present {
	return views.Present{ID: ballotID, Question: "Tabs or " + hostile + "?", Result: result(1204, 861, 2), Version: 7,
		ShareURL: "https://oponn.example/b/" + ballotID, JoinCode: "123456", Site: "oponn.example", Watching: 12}
}

func pace() oponn.Pace {
	return oponn.Pace{{At: noon}, {At: noon.Add(time.Minute), Voters: 10}, {At: noon.Add(time.Hour), Voters: 1234}}
}

func docs() views.Docs {
	document, err := openapi.Read()
	if err != nil {
		panic(err)
	}
	return views.Docs{Document: document, Base: "https://oponn.example"}
}

// pages are all pages in their main states, in English.
func pages() map[string]views.View { return pagesOf(page) }

// pagesOf are all pages in their main states.
func pagesOf(page views.Page) map[string]views.View {
	scheduled, closed, wrong := vote(), vote(), vote()
	scheduled.Status, scheduled.OpensAt = oponn.Scheduled, noon.Add(time.Hour)
	closed.Status = oponn.Closed
	wrong.Choices, wrong.WriteInText = []string{views.WriteIn}, hostile
	wrong.Errors = []oponn.FieldError{{Field: "choices", Code: "required"}, {Field: "write_in", Code: "too_long"}}
	wrong.Problem = &views.Problem{Status: 503, Code: oponn.CodeOutcomeUnknown, RetryAfter: time.Second}
	approval := vote()
	approval.Rules = oponn.Rules{Choices: oponn.Bounds{Min: 1, Max: 2}, Visibility: oponn.VisibleAfterClosing, AllowChange: true, WriteIns: oponn.WriteInsModerated}
	approval.Choices, approval.Replacing = []string{"1", "2", views.WriteIn}, "1234567890abcdef"
	approval.Errors = []oponn.FieldError{{Field: "choices", Code: "too_many"}}
	byCode := vote()
	byCode.Rules, byCode.Code = oponn.Rules{Protection: oponn.ProtectedByCodes}, hostile
	byCode.Errors = []oponn.FieldError{{Field: "code", Code: "refused"}}
	held, coded, handedOut := vote(), results(), make([]oponn.VotingCode, 500)
	held.Rules, held.HoldsCode = byCode.Rules, true
	coded.ByCodes, coded.Created, coded.Notice = true, true, views.NoticeAlreadyVoted
	for i := range handedOut {
		handedOut[i] = oponn.NewVotingCode()
	}
	final := results()
	final.Result.Status, final.Result.ClosedAt = oponn.Closed, noon
	stands, fresh := results(), results()
	stands.Notice = views.NoticeFirstStands
	fresh.Receipt, fresh.Result = nil, result(0, 0)
	covered, closing := present(), present()
	covered.Covered, covered.Before, covered.After = true, ballotID, ballotID
	closing.Result = final.Result
	closing.Pace = views.PacePicture(page.Locale, hostile, pace(), views.PaceColumn)
	final.Pace = views.PacePicture(page.Locale, hostile, pace(), views.PacePart)
	secret := views.Embed{ID: ballotID, Question: hostile, Result: views.Result{Status: oponn.Open, Hidden: oponn.VisibleToOwner}}
	return map[string]views.View{
		"present":          views.PresentPage(page, present()),
		"present, covered": views.PresentPage(page, covered),
		"present, closed":  views.PresentPage(page, closing),
		"embed":            views.EmbedPage(page, views.Embed{ID: ballotID, Question: hostile, Result: result(1, 2, 3), ShareURL: "https://oponn.example/b/" + ballotID}),
		"embed, hidden":    views.EmbedPage(page, secret),
		"home, wrong code": views.HomePage(page, views.Home{Typed: hostile, Elsewhere: true, Errors: []oponn.FieldError{{Field: "join", Code: "unknown"}}}),
		"home": views.HomePage(page, views.Home{Path: "/?before=" + ballotID, Newer: true, Older: true, JoinURL: "http://192.168.1.20:8080",
			Ballots: []views.Summary{{ID: ballotID, Question: hostile, Status: oponn.Open, Votes: 1, ClosesAt: noon}}}),
		"home, empty": views.HomePage(page, views.Home{}),
		"new":         views.NewPage(page, views.NewBallot{}),
		"new, wrong": views.NewPage(page, views.NewBallot{Question: hostile, Options: []string{"a", "a"}, Kind: views.KindApproval, Min: "3", WriteIns: "open",
			Window: views.FormWindow{Closes: views.ClosesAt, ClosesAt: "2020-01-01T10:00", Zone: "Europe/Berlin"},
			Errors: []oponn.FieldError{{Field: "question", Code: "too_long"}, {Field: "options", Code: "too_few"},
				{Field: "options[1]", Code: "duplicate"}, {Field: "closes_at", Code: "past"},
				{Field: "choices", Code: "min_above_max"}}}),
		"vote":             views.VotePage(page, vote()),
		"vote, approval":   views.VotePage(page, approval),
		"vote, by code":    views.VotePage(page, byCode),
		"vote, code held":  views.VotePage(page, held),
		"results, by code": views.ResultsPage(page, coded),
		"codes": views.CodesPage(page, views.Codes{ID: ballotID, Question: hostile, Site: "oponn.example", All: handedOut,
			Link: func(code oponn.VotingCode) string {
				return "https://oponn.example/ballots/" + ballotID + "/codes/" + code.Plain()
			}}),
		"manage, codes": views.ManagePage(page, views.Manage{ID: ballotID, Question: hostile, Result: result(1, 2, 3),
			Codes: &views.ManageCodes{Made: 30, Used: 6, Count: "many"}, Errors: []oponn.FieldError{{Field: "count", Code: "out_of_range"}}}),
		"vote, scheduled":    views.VotePage(page, scheduled),
		"vote, closed":       views.VotePage(page, closed),
		"vote, wrong":        views.VotePage(page, wrong),
		"results":            views.ResultsPage(page, results()),
		"results, closed":    views.ResultsPage(page, final),
		"results, not voted": views.ResultsPage(page, fresh),
		"results, stands":    views.ResultsPage(page, stands),
		"manage": views.ManagePage(page, views.Manage{ID: ballotID, Question: hostile, Result: result(1, 2, 3), Confirm: true, Done: views.ActionHide,
			Kept: views.Retention{Until: noon, Moves: true}, Edit: &views.NewBallot{Question: hostile, Options: []string{"a", hostile}},
			WriteIns: []oponn.Result{{Option: oponn.Option{ID: "w1", Label: hostile, WriteIn: true}, Standing: oponn.Pending}},
			Errors:   []oponn.FieldError{{Field: "closes_at", Code: "past"}, {Field: "options[1]", Code: "duplicate"}, {Field: "question", Code: "has_votes"}}, ShareURL: "https://oponn.example/ballots/" + ballotID}),
		"manage, closed": views.ManagePage(page, views.Manage{ID: ballotID, Question: hostile, Result: final.Result}),
		"key":            views.KeyPage(page, ballotID, []oponn.FieldError{{Field: "owner_key", Code: "wrong"}}),
		"report": views.ReportPage(page, views.Report{ID: ballotID, Question: hostile, Text: hostile, Contact: "mailto:abuse@example.org",
			Errors: []oponn.FieldError{{Field: "reason", Code: "required"}, {Field: "text", Code: "too_long"}}}),
		"reported":        views.ReportPage(page, views.Report{ID: ballotID, Question: hostile, Done: true}),
		"privacy":         views.PrivacyPage(page, ""),
		"imprint":         views.ImprintPage(page, hostile+"\n\n# "+hostile+"\n\n- "+hostile),
		"receipt":         views.ReceiptPage(page, views.Counting{ID: ballotID, Question: hostile, Locator: "7f3a", Counting: oponn.Counting{Counted: true, Hour: noon}}),
		"docs":            views.DocsPage(page, docs()),
		"error":           views.ErrorPage(page, views.Problem{Status: 404, Code: oponn.CodeNotFound}),
		"error, to retry": views.ErrorPage(page, views.Problem{Status: 503, Code: oponn.CodeBusy, RetryAfter: 1500 * time.Millisecond}),
	}
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatalf("render: %v", err)
	}
	return b.String()
}

// parse returns the root of a document.
func parse(t *testing.T, s string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return root
}

// all returns the elements of which the predicate is true, in their order.
func all(root *html.Node, is func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			found = append(found, n)
		}
	}
	return found
}

func tag(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

// attr returns an attribute, and whether it is there.
func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// content returns the text below a node with its white space folded.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
