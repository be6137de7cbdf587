package http_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func TestNewBallotByForm_WithRules(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	opens := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Minute)
	path := b.makeBallot("options", "water", "opens", "at", "opens_at", opens.Format("2006-01-02T15:04"), "closes", "1h", "zone", "UTC",
		"kind", "approval", "choices_max", "2", "write_ins", "moderated", "shuffle_options", "on", "visibility", "after_closing",
		"allow_change", "on", "retention_days", "7")
	d := document[definition](t, w.get("/api/v1"+path).want(t, http.StatusOK))
	if d.Choices.Min != 1 || d.Choices.Max != 2 || d.WriteIns != "moderated" || !d.ShuffleOptions || !d.AllowChange ||
		d.Visibility != "after_closing" || d.RetentionDays != 7 || d.Status != "scheduled" {
		t.Errorf("the ballot is %+v", d)
	}
	if d.OpensAt == nil || d.ClosesAt == nil || !d.OpensAt.Equal(opens) || !d.ClosesAt.Equal(opens.Add(time.Hour)) {
		t.Errorf("it opens at %v and closes at %v, want an hour from %v on", d.OpensAt, d.ClosesAt, opens)
	}
	plain := document[definition](t, w.get("/api/v1"+b.makeBallot("zone", "Europe/Berlin", "kind", "single", "write_ins", "off")).want(t, http.StatusOK))
	if plain.Choices.Max != 1 || plain.Visibility != "always" || plain.ClosesAt != nil || plain.RetentionDays != 90 {
		t.Errorf("a plain ballot is %+v", plain)
	}
}

func TestNewBallotByForm_KeepsTheRules(t *testing.T) {
	w := start(t, tuning{})
	p := w.browser().submit("/ballots", fields("options", "tea", "opens", "at", "opens_at", "x", "closes", "24h", "zone", "Asia/Tokyo", "kind", "approval",
		"choices_min", "2", "write_ins", "open", "visibility", "owner", "allow_change", "on", "retention_days", "30")).want(t, http.StatusUnprocessableEntity)
	for name, want := range map[string]string{"opens": "at", "closes": "24h", "zone": "Asia/Tokyo", "kind": "approval", "write_ins": "open", "visibility": "owner"} {
		if got := p.selected(name); got != want {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
	}
	if p.value("choices_min") != "2" || p.value("retention_days") != "30" {
		t.Errorf("numbers became %q and %q", p.value("choices_min"), p.value("retention_days"))
	}
}

func TestNewBallotByForm_MoreOptions(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	form := fields("question", "Which?", "more", "1")
	for i := range 10 {
		form.Add("options", strconv.Itoa(i))
	}
	p := b.submit("/ballots", form).want(t, http.StatusOK)
	if rows := p.values("options"); len(rows) != 20 || rows[9] != "9" || p.value("question") != "Which?" {
		t.Fatalf("rows %q of %q", rows, p.value("question"))
	}
	for range 5 {
		form["options"] = p.values("options")
		p = b.submit("/ballots", form).want(t, http.StatusOK)
	}
	if rows := p.values("options"); len(rows) != 50 {
		t.Errorf("%d rows in the end", len(rows))
	}
}

func TestZonesAreKnown(t *testing.T) {
	w := start(t, tuning{})
	zones := w.browser().open("/new").want(t, http.StatusOK).offered("zone")
	if len(zones) < 50 || zones[0] != "UTC" || len(slices.Compact(slices.Sorted(slices.Values(zones)))) != len(zones) {
		t.Errorf("the zones are %q", zones)
	}
	for _, zone := range zones {
		if _, err := time.LoadLocation(zone); err != nil {
			t.Error(err)
		}
	}
}

// offered returns the values that a select element offers.
func (p page) offered(name string) []string { return p.settings(name, false) }

// selected returns the value that a select element has.
func (p page) selected(name string) string {
	if chosen := p.settings(name, true); len(chosen) > 0 {
		return chosen[0]
	}
	return ""
}

func (p page) settings(name string, chosen bool) []string {
	var values []string
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "option" || attribute(n.Parent, "name") != name {
			continue
		}
		if _, selected := find(n, "selected"); selected || !chosen {
			values = append(values, attribute(n, "value"))
		}
	}
	return values
}

func TestVoteByForm_Approval(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("options", "water", "kind", "approval", "choices_max", "2", "visibility", "after_closing")
	voter := w.browser()
	form := voter.open(path).want(t, http.StatusOK).says(t, "Choose 1 to 2", en("vote.visibility.after_closing"), en("vote.no_change"))
	vote := form.value("vote_id")
	p := voter.submit(path+"/votes", fields("vote_id", vote, "choice", "1", "choice", "2", "choice", "3")).
		want(t, http.StatusUnprocessableEntity).says(t, "Please choose at most 2 options.")
	if checked := p.checked("choice"); len(checked) != 3 {
		t.Errorf("of three choices %q were kept", checked)
	}
	voter.submit(path+"/votes", fields("vote_id", vote)).want(t, http.StatusUnprocessableEntity).says(t, "Please choose at least 1 option.")
	voter.submit(path+"/votes", fields("vote_id", vote, "choice", "1", "choice", "3")).want(t, http.StatusOK).
		says(t, en("receipt.counted"), en("result.hidden.after_closing"))
}

func TestVoteByForm_Changed(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("allow_change", "on")
	voter := w.browser()
	cast := func(form page, option string) page {
		return voter.submit(path+"/votes", fields("vote_id", form.value("vote_id"), "choice", option)).want(t, http.StatusOK).says(t, en("receipt.counted"), "1 vote")
	}
	first := cast(voter.open(path).says(t, en("vote.change")), "1")
	if first.says(t, "change_vote"); voter.open(path).path != first.path {
		t.Error("the vote page does not lead to the result any more")
	}
	second := cast(voter.open(path+"?change=1").want(t, http.StatusOK).says(t, "the vote with the receipt "+receiptOf(first)[:4]), "2")
	second.says(t, en("receipt.changed"), en("receipt.replaces"), receiptOf(first))
	if receiptOf(first) == receiptOf(second) {
		t.Error("both votes have one receipt")
	}
	if r := w.results(path[len("/ballots/"):]); r.Votes != 1 || r.Options[0].Votes != 0 || r.Options[1].Votes != 1 {
		t.Errorf("results %+v", r)
	}
	fixed := w.browser().makeBallot()
	voter.submit(fixed+"/votes", fields("vote_id", voter.open(fixed).value("vote_id"), "choice", "1")).hides(t, "change_vote")
	if p := voter.open(fixed+"?change=1").says(t, en("receipt.counted")); p.path == fixed+"?change=1" {
		t.Error("a vote that is final can be changed")
	}
}

func TestVotePage_Shuffled(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(draft{"question": "Which?", "options": []string{"a", "b", "c", "d", "e", "f", "g", "h"}, "shuffle_options": true})
	orders := map[string]bool{}
	for range 5 {
		voter := w.browser()
		order := voter.open("/ballots/" + b.ID).values("choice")
		if again := voter.open("/ballots/" + b.ID).values("choice"); len(order) != 8 || !slices.Equal(order, again) {
			t.Fatalf("a voter sees %q, then %q", order, again)
		}
		orders[strings.Join(order, "")] = true
	}
	if len(orders) < 2 {
		t.Errorf("all voters see %v", orders)
	}
}

// checked returns the values of the checkboxes of a name that are checked.
func (p page) checked(name string) []string {
	var values []string
	for n := range p.root.Descendants() {
		if _, checked := find(n, "checked"); n.Type == html.ElementNode && attribute(n, "name") == name && checked {
			values = append(values, attribute(n, "value"))
		}
	}
	return values
}
