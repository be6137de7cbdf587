package http_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

func TestManagePage_EditsUntilTheFirstVote(t *testing.T) {
	w := start(t, tuning{})
	owner, voter := w.browser(), w.browser()
	path := owner.makeBallot()
	id := strings.TrimPrefix(path, "/ballots/")
	p := owner.open(path + "/manage")
	if p.value("question") != "Tea or coffee?" || strings.Join(p.values("options")[:3], "|") != "tea|coffee|" {
		t.Errorf("the form has %q and %q", p.value("question"), p.values("options"))
	}
	owner.act(path, "edit", "question", "Tea, coffee or water?", "options", "tea", "options", "coffee", "options", "", "options", "water").
		want(t, http.StatusOK).says(t, en("manage.done.edit"), "Tea, coffee or water?")
	if r := w.results(id); len(r.Options) != 3 || r.Options[2].Label != "water" || r.Options[1].ID != "2" {
		t.Errorf("the options are %+v", r.Options)
	}

	// What is wrong stands beside its field, and what was typed is kept.
	p = owner.act(path, "edit", "question", "", "options", "tea", "options", "TEA").want(t, http.StatusUnprocessableEntity).
		says(t, en("error.question.required"), en("error.options.duplicate"))
	if p.value("question") != "" || p.values("options")[1] != "TEA" {
		t.Errorf("typed was kept as %q and %q", p.value("question"), p.values("options"))
	}
	owner.act(path, "edit", "question", "Which?").want(t, http.StatusUnprocessableEntity).says(t, en("error.options.too_few"))
	p = owner.submit(path+"/manage", fields("question", "Which?", "options", "a", "options", "b", "more", "1")).want(t, http.StatusOK)
	if rows := p.values("options"); p.value("question") != "Which?" || len(rows) < 12 || rows[1] != "b" {
		t.Errorf("more rows are %q of %q", rows, p.value("question"))
	}

	// Somebody votes while the form is open.
	voter.submit(path+"/votes", fields("choice", "1", "vote_id", voter.open(path).value("vote_id"))).want(t, http.StatusOK)
	p = owner.act(path, "edit", "question", "Late?", "options", "a", "options", "b").want(t, http.StatusUnprocessableEntity).says(t, en("error.options.has_votes"))
	if p.value("question") != "Late?" {
		t.Errorf("typed was kept as %q", p.value("question"))
	}
	owner.open(path+"/manage").says(t, en("manage.edit.voted")).hides(t, en("cmd.save_changes"))
	voter.submit(path+"/manage", fields("action", "edit", "question", "Mine?", "options", "a", "options", "b")).want(t, http.StatusForbidden)
}

func TestHome_ListsInParts(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	b.open("/").hides(t, en("cmd.older"), en("cmd.newer"))
	for range 45 {
		b.makeBallot()
	}
	walk := func(from page, word string) (pages []page) {
		for p := from; ; {
			pages = append(pages, p)
			next := p.linkOf(word)
			if next == "" {
				return pages
			}
			p = b.open(next).want(t, http.StatusOK)
		}
	}
	there := walk(b.open("/"), en("cmd.older"))
	if len(there) != 3 {
		t.Fatalf("the list has %d parts", len(there))
	}
	var ids []string
	for _, p := range there {
		ids = append(ids, p.listed()...)
	}
	if len(ids) != 45 || len(there[0].listed()) != 20 || len(there[2].listed()) != 5 {
		t.Errorf("the parts have %d ballots: %q", len(ids), ids)
	}
	back := walk(there[2], en("cmd.newer"))
	if len(back) != 3 || strings.Join(back[2].listed(), " ") != strings.Join(there[0].listed(), " ") || strings.Join(back[1].listed(), " ") != strings.Join(there[1].listed(), " ") {
		t.Error("the way back shows other parts")
	}
	for _, lost := range []string{"/?before=x", "/?after=" + oponn.NewBallotID().String()} {
		if p := b.open(lost).want(t, http.StatusOK); p.path != "/" {
			t.Errorf("%s led to %s", lost, p.path)
		}
	}
	b.act("/ballots/"+ids[19], "delete", "confirm", "yes").want(t, http.StatusOK)
	if p := b.open("/?before=" + ids[19]); p.path != "/" {
		t.Errorf("a ballot that was deleted led to %s", p.path)
	}
}

// linkOf returns where the link with a text leads; empty for none.
func (p page) linkOf(text string) string {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && n.FirstChild != nil && strings.TrimSpace(n.FirstChild.Data) == text {
			return attribute(n, "href")
		}
	}
	return ""
}

// listed returns the ids of the ballots in a list.
func (p page) listed() []string {
	var ids []string
	for _, link := range p.links() {
		if id, is := strings.CutSuffix(strings.TrimPrefix(link, "/ballots/"), "/results"); is {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestHome_SaysHowBallotsStand(t *testing.T) {
	w := start(t, tuning{})
	b, voter := w.browser(), w.browser()
	open, closed := b.makeBallot(), b.makeBallot("opens", "at", "opens_at", "2030-01-01T00:00", "visibility", "owner")
	voter.submit(open+"/votes", fields("choice", "1", "vote_id", voter.open(open).value("vote_id"))).want(t, http.StatusOK)
	b.open("/").says(t, "1 vote", en("status.open"), en("status.scheduled"))
	b.act(closed, "close").want(t, http.StatusOK)
	b.open("/").says(t, en("status.closed"))
}

func TestReport(t *testing.T) {
	w := start(t, tuning{http: func(cfg *oponnhttp.Config) { cfg.RateLimits, cfg.ReportTo = true, "mailto:abuse@example.org" }})
	path := w.browser().makeBallot()
	b := w.browser()
	for _, page := range []string{path, path + "/results"} {
		if link := b.open(page).linkOf(en("cmd.report")); link != path+"/report" {
			t.Errorf("%s leads to %q", page, link)
		}
	}
	b.open(path+"/report").want(t, http.StatusOK).says(t, "Tea or coffee?", "abuse@example.org")
	long := strings.Repeat("é", 501)
	p := b.submit(path+"/report", fields("text", long)).want(t, http.StatusUnprocessableEntity).says(t, en("error.reason.required"), en("error.text.too_long"))
	if p.value("text") != long {
		t.Error("what was typed is lost")
	}
	b.submit(path+"/report", fields("reason", "boredom")).want(t, http.StatusUnprocessableEntity).says(t, en("error.reason.required"))
	b.submit(path+"/report", fields("reason", "spam", "text", "it sells\r\n  pills")).want(t, http.StatusOK).says(t, en("report.done"))
	if line := w.log.find(t, "ballot reported")[0]; line["ballot"] != strings.TrimPrefix(path, "/ballots/") || line["reason"] != "spam" || line["text"] != "it sells pills" || line["level"] != "WARN" {
		t.Errorf("the log says %v", line)
	}
	htmx := w.browser()
	htmx.header = head("HX-Request", "true")
	if p := htmx.submit(path+"/report", fields("reason", "other")); p.header.Get("HX-Redirect") != path+"/report?done=1" {
		t.Errorf("htmx is led to %q", p.header.Get("HX-Redirect"))
	}
	for range 3 {
		b.submit(path+"/report", fields("reason", "spam")).want(t, http.StatusOK)
	}
	p = b.submit(path+"/report", fields("reason", "abuse", "text", "still")).want(t, http.StatusTooManyRequests).says(t, en("problem.rate_limited.title"))
	if seconds, err := strconv.Atoi(p.header.Get("Retry-After")); err != nil || seconds < 60 || p.value("text") != "still" || p.value("reason") != "abuse" {
		t.Errorf("Retry-After is %q, kept is %q and %q", p.header.Get("Retry-After"), p.value("reason"), p.value("text"))
	}
	b.open("/ballots/"+oponn.NewBallotID().String()+"/report").want(t, http.StatusNotFound)
}

func TestReport_FromEverywhereAtOnce(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot()
	b := w.browser()
	for range 60 {
		b.submit(path+"/report", fields("reason", "spam")).want(t, http.StatusOK)
	}
	b.submit(path+"/report", fields("reason", "spam")).want(t, http.StatusTooManyRequests)
}

func TestTexts(t *testing.T) {
	plain := start(t, tuning{}).browser()
	home := plain.open("/")
	if home.linkOf(en("cmd.privacy")) != "/privacy" || home.linkOf(en("cmd.imprint")) != "" {
		t.Errorf("the footer links to %q", home.links())
	}
	plain.open("/privacy").want(t, http.StatusOK).says(t, "If you vote", "400 days", "IP addresses")
	plain.open("/imprint").want(t, http.StatusNotFound)

	told := start(t, tuning{http: func(cfg *oponnhttp.Config) {
		cfg.Privacy = "# Ours\r\n\r\nWe keep <b>nothing</b>.\n\n- not this\n- nor that\n"
		cfg.Imprint = "Ada Lovelace\n12 St James's Square"
	}}).browser()
	p := told.open("/privacy").want(t, http.StatusOK).says(t, "Ours", "We keep <b>nothing</b>.", "nor that").hides(t, "400 days", "#", "- ")
	if strings.Contains(p.body, "<b>nothing") {
		t.Error("a text is taken for HTML")
	}
	told.open(p.linkOf(en("cmd.imprint"))).want(t, http.StatusOK).says(t, "Ada Lovelace")
}

func TestRetention_IsShown(t *testing.T) {
	w := start(t, tuning{})
	owner, voter := w.browser(), w.browser()
	until, least := strings.TrimSuffix(en("retention.until"), "{0}, then deleted."), "at least"
	days := "Deleted 7 days after"
	for name, tt := range map[string]struct{ rules, owner, voter []string }{
		"open-ended": {[]string{}, []string{until, least}, []string{until, least}},
		"to close":   {[]string{"closes", "1h"}, []string{until, "then deleted"}, []string{until, "then deleted"}},
		// When the last vote came is not for everybody.
		"hidden": {[]string{"visibility", "owner"}, []string{until, least}, []string{days}},
	} {
		path := owner.makeBallot(append(tt.rules, "retention_days", "7")...)
		for _, page := range []string{"/results", "/manage"} {
			owner.open(path+page).want(t, http.StatusOK).says(t, tt.owner...)
		}
		p := voter.open(path + "/results")
		for _, word := range tt.voter {
			if !strings.Contains(p.text(), word) {
				t.Errorf("%s: the page doesn't say %q: %s", name, word, p.text())
			}
		}
		owner.act(path, "close").want(t, http.StatusOK).says(t, until, "then deleted")
		voter.open(path+"/results").says(t, until, "then deleted")
	}
}
