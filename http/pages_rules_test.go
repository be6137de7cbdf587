package http_test

import (
	"net/http"
	"slices"
	"strconv"
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
