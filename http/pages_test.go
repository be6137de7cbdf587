package http_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

func TestVoteByForm(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot()

	t.Run("first vote", func(t *testing.T) {
		voter := w.browser()
		form := voter.open(path).want(t, http.StatusOK).says(t, "Tea or coffee?", "tea", "coffee")
		after := voter.submit(path+"/votes", fields("choice", "1", "vote_id", form.value("vote_id"))).want(t, http.StatusOK)
		if !strings.HasPrefix(after.path, path+"/results?after=") {
			t.Fatalf("voting led to %s", after.path)
		}
		after.says(t, "1 vote", en("receipt.counted")).hides(t, notices()...)
	})

	t.Run("second vote from the same browser", func(t *testing.T) {
		voter := w.browser()
		form := voter.open(path)
		first := voter.submit(path+"/votes", fields("choice", "1", "vote_id", form.value("vote_id"))).want(t, http.StatusOK)
		locator := receiptOf(first)
		for name, again := range map[string]page{
			"the vote page leads to the result": voter.open(path),
			"the same again":                    voter.submit(path+"/votes", fields("choice", "1", "vote_id", form.value("vote_id"))),
		} {
			if again.want(t, http.StatusOK); receiptOf(again) != locator || !strings.HasPrefix(again.path, path+"/results") {
				t.Errorf("%s: at %s with receipt %s, want %s", name, again.path, receiptOf(again), locator)
			}
			again.hides(t, notices()...)
		}
		back := voter.submit(path+"/votes", fields("choice", "2", "vote_id", form.value("vote_id"))).want(t, http.StatusOK)
		if back.says(t, en("result.first_stands")); receiptOf(back) != locator {
			t.Errorf("Back and another choice: receipt %s, want %s", receiptOf(back), locator)
		}
		fresh := voter.submit(path+"/votes", fields("choice", "2", "vote_id", oponn.NewVoteID().String())).want(t, http.StatusOK)
		if fresh.says(t, en("result.already")); receiptOf(fresh) != locator {
			t.Errorf("a vote id of its own: receipt %s, want %s", receiptOf(fresh), locator)
		}
	})

	t.Run("nobody else hears of it", func(t *testing.T) {
		w.browser().open(path+"/results?notice=first_vote_stands").want(t, http.StatusOK).hides(t, append(notices(), en("receipt.counted"))...)
	})

	t.Run("a voter's cookie is good on every ballot", func(t *testing.T) {
		voter := w.browser()
		other := owner.makeBallot()
		vote := voter.open(path).value("vote_id")
		voter.submit(path+"/votes", fields("choice", "1", "vote_id", vote)).says(t, en("receipt.counted"))
		voter.submit(other+"/votes", fields("choice", "1", "vote_id", vote)).says(t, en("receipt.counted"))
	})
}

// en returns the text that an English page has for a key.
func en(key string, args ...string) string { return locales.All()[0].T(key, args...) }

// notices are what the result page says to somebody who votes again.
func notices() []string { return []string{en("result.first_stands"), en("result.already")} }

// receiptOf returns the locator that a page shows.
func receiptOf(p page) string {
	_, rest, _ := strings.Cut(p.body, `<code class="whole">`)
	locator, _, _ := strings.Cut(rest, "<")
	return locator
}

func TestVoteByFormRefused(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("allow_write_in", "on")
	voter := w.browser()
	id := voter.open(path).value("vote_id")
	long := strings.Repeat("x", oponn.MaxLabel+1)
	for _, c := range []struct {
		name   string
		form   url.Values
		says   string
		choice string
	}{
		{"nothing chosen", fields("vote_id", id), en("error.choice.required"), ""},
		{"unknown option", fields("vote_id", id, "choice", "3"), en("error.choice.unknown_option"), ""},
		{"two options", fields("vote_id", id, "choice", "1", "choice", "2"), en("error.choice.too_many"), "1"},
		{"empty write-in", fields("vote_id", id, "choice", "write_in", "write_in", ""), en("error.write_in.required"), "write_in"},
		{"blank write-in", fields("vote_id", id, "choice", "write_in", "write_in", "  "), en("error.write_in.required"), "write_in"},
		{"long write-in", fields("vote_id", id, "choice", "write_in", "write_in", long), en("error.write_in.too_long"), "write_in"},
		{"control character", fields("vote_id", id, "choice", "write_in", "write_in", "a\x00b"), en("error.any.forbidden_character"), "write_in"},
		{"malformed vote id", fields("vote_id", "1", "choice", "2"), en("error.vote_id.malformed"), "2"},
		{"no vote id", fields("choice", "2"), en("error.vote_id.malformed"), "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := voter.submit(path+"/votes", c.form).want(t, http.StatusUnprocessableEntity).says(t, c.says, "Tea or coffee?")
			if p.value("choice") != c.choice || c.choice == "write_in" && p.value("write_in") != strings.ReplaceAll(c.form.Get("write_in"), "\x00", "\ufffd") {
				t.Errorf("the choice became %q, %q", p.value("choice"), p.value("write_in"))
			}
			if _, err := oponn.ParseVoteID(p.value("vote_id")); err != nil {
				t.Errorf("the form came back with the vote id %q", p.value("vote_id"))
			}
		})
	}
	if n := w.results(strings.TrimPrefix(path, "/ballots/")).Votes; n != 0 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestWriteInByForm(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("allow_write_in", "on")
	for name, form := range map[string]url.Values{
		"by its button": fields("choice", "write_in", "write_in", "water"),
		"by text alone": fields("write_in", "Water "),
	} {
		voter := w.browser()
		form.Set("vote_id", voter.open(path).value("vote_id"))
		voter.submit(path+"/votes", form).want(t, http.StatusOK).says(t, en("receipt.counted"))
		if t.Failed() {
			t.Fatal(name)
		}
	}
	r := w.results(strings.TrimPrefix(path, "/ballots/"))
	if len(r.Options) != 3 || r.Options[2].Label == "" || r.Options[2].Votes != 2 {
		t.Errorf("results %+v", r)
	}
	// What was written in can be chosen from then on.
	voter := w.browser()
	form := voter.open(path).says(t, r.Options[2].Label)
	voter.submit(path+"/votes", fields("choice", r.Options[2].ID, "vote_id", form.value("vote_id"))).want(t, http.StatusOK).says(t, "3 votes")
}

func TestVoteNeedsCookie(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot()
	for name, cookie := range map[string]string{
		"none": "", "forged": "oponn_voter=" + strings.Repeat("A", 64), "broken": "oponn_voter=x",
		"of another purpose": "oponn_voter=" + cookieOf(t, w.get("/new"), "oponn_owner"),
	} {
		t.Run(name, func(t *testing.T) {
			vote := oponn.NewVoteID().String()
			r := w.do(request{method: http.MethodPost, path: path + "/votes", body: reader(fields("choice", "2", "vote_id", vote).Encode()),
				header: head("Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie)})
			if r.want(t, http.StatusUnauthorized); len(r.header.Values("Set-Cookie")) > 0 {
				t.Error("a POST gave a voter's cookie: a double tap would be two voters")
			}
			if !strings.Contains(r.body, "cookies") || !strings.Contains(r.body, `href="`+path+"?choice=") || !strings.Contains(r.body, vote) {
				t.Errorf("page %s", r.body)
			}
		})
	}
	// The vote page takes a choice along.
	if got := w.browser().open(path + "?choice=2").value("choice"); got != "2" {
		t.Errorf("the choice became %q", got)
	}
}

func TestVoteWhenNotOpen(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	voter := w.browser()
	form := voter.open("/ballots/" + b.ID)
	w.close(b)
	voter.submit("/ballots/"+b.ID+"/votes", fields("choice", "1", "vote_id", form.value("vote_id"))).
		want(t, http.StatusConflict).says(t, "Tea or coffee?", en("problem.closed.title"))
	voter.open("/ballots/"+b.ID).want(t, http.StatusOK)

	later := teaOrCoffee()
	later["opens_at"] = time.Now().Add(time.Hour)
	b = w.ballot(later)
	voter.open("/ballots/"+b.ID).want(t, http.StatusOK)
	voter.submit("/ballots/"+b.ID+"/votes", fields("choice", "1", "vote_id", oponn.NewVoteID().String())).
		want(t, http.StatusConflict).says(t, "Tea or coffee?", en("problem.not_open.title"))
}

func TestOutcomeUnknownOffersTheSameVote(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot()
	voter := w.browser()
	id := voter.open(path).value("vote_id")
	w.faults.set(func(f *faults) {
		f.cast = func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error) {
			if _, err := cast(); err != nil {
				return oponn.Receipt{}, err
			}
			return oponn.Receipt{}, unavailable(oponn.CodeOutcomeUnknown)
		}
	})
	p := voter.submit(path+"/votes", fields("choice", "2", "vote_id", id)).want(t, http.StatusServiceUnavailable)
	if p.header.Get("Retry-After") == "" || p.value("vote_id") != id || p.value("choice") != "2" {
		t.Fatalf("form with vote id %q, choice %q", p.value("vote_id"), p.value("choice"))
	}
	w.faults.set(func(f *faults) { f.cast = nil })
	voter.submit(path+"/votes", fields("choice", p.value("choice"), "vote_id", p.value("vote_id"))).
		want(t, http.StatusOK).says(t, "1 vote", en("receipt.counted")).hides(t, notices()...)
}

func TestNewBallotByForm(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	b.open("/new").want(t, http.StatusOK)
	path := b.makeBallot("options", "", "options", " ", "options", "water", "closes", "10m")
	if made := b.open(path + "/results?created=1"); !strings.Contains(made.body, w.url+"/b"+strings.TrimPrefix(path, "/ballots")+`"`) || !strings.Contains(made.body, `class="qr"`) {
		t.Errorf("whoever made the ballot sees no link: %s", made.text())
	}
	r := document[struct {
		Options  []struct{ Label string }
		ClosesAt time.Time `json:"closes_at"`
	}](t, w.get("/api/v1"+path))
	if left := time.Until(r.ClosesAt); len(r.Options) != 3 || left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("ballot %+v", r)
	}
	b.open("/").want(t, http.StatusOK).says(t, "Tea or coffee?")
	w.browser().open("/").want(t, http.StatusOK).hides(t, "Tea or coffee?")

	at := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Minute)
	path = b.makeBallot("closes", "at", "closes_at", at.Add(9*time.Hour).Format("2006-01-02T15:04"), "zone", "Asia/Tokyo")
	r.ClosesAt = document[struct {
		ClosesAt time.Time `json:"closes_at"`
	}](t, w.get("/api/v1"+path)).ClosesAt
	if !r.ClosesAt.Equal(at) {
		t.Errorf("closes at %v, want %v", r.ClosesAt, at)
	}
}

func TestNewBallotByFormRefused(t *testing.T) {
	w := start(t, tuning{})
	good := []string{"question", "Tea or coffee?", "options", "tea", "options", "coffee"}
	for _, c := range []struct {
		name string
		form url.Values
		says string
	}{
		{"no question", fields("options", "tea", "options", "coffee"), en("error.question.required")},
		{"one option", fields("question", "Why?", "options", "tea", "options", ""), en("error.options.too_few")},
		{"equal options", fields("question", "Why?", "options", "Tea", "options", "", "options", "ｔｅａ "), en("error.options.duplicate")},
		{"long label", fields("question", "Why?", "options", "tea", "options", strings.Repeat("x", 201)), en("error.options.too_long")},
		{"bidi override", fields("question", "Why?\u202e", "options", "tea", "options", "coffee"), en("error.any.forbidden_character")},
		{"unknown closing", fields(append(good, "closes", "soon")...), en("error.any.unknown")},
		{"closing without time", fields(append(good, "closes", "at")...), en("error.closes_at.required")},
		{"closing at nonsense", fields(append(good, "closes", "at", "closes_at", "tomorrow")...), en("error.closes_at.malformed")},
		{"nonsense zone", fields(append(good, "closes", "at", "closes_at", "2100-01-01T00:00", "zone", "x")...), en("error.zone.unknown")},
		{"the server's zone", fields(append(good, "zone", "Local")...), en("error.zone.unknown")},
		{"opening without time", fields(append(good, "opens", "at")...), en("error.opens_at.required")},
		{"closes before it opens", fields(append(good, "opens", "at", "opens_at", "2030-01-02T00:00", "closes", "at", "closes_at", "2030-01-01T00:00")...), en("error.closes_at.before_opening")},
		{"choices in words", fields(append(good, "kind", "approval", "choices_max", "two")...), en("error.choices_max.malformed")},
		{"more choices than options", fields(append(good, "kind", "approval", "choices_max", "3")...), en("error.choices_max.too_many")},
		{"least above most", fields(append(good, "kind", "approval", "choices_min", "2", "choices_max", "1")...), en("error.choices_max.min_above_max")},
		{"kept for ever", fields(append(good, "retention_days", "for ever")...), en("error.retention_days.out_of_range")},
		{"unknown visibility", fields(append(good, "visibility", "me")...), "no such setting"},
		{"closed long ago", fields(append(good, "closes", "at", "closes_at", "2001-01-01T00:00")...), en("error.closes_at.past")},
		{"opened long ago", fields(append(good, "opens", "at", "opens_at", "2001-01-01T00:00")...), en("error.opens_at.past")},
		{"opens while clocks go forward", fields(append(good, "opens", "at", "opens_at", "2030-03-31T02:30", "zone", "Europe/Berlin")...), en("error.opens_at.skipped")},
		{"closes while clocks go forward", fields(append(good, "closes", "at", "closes_at", "2030-03-31T02:30:59", "zone", "Europe/Berlin")...), en("error.closes_at.skipped")},
		{"all at once", fields("options", "tea", "closes", "at", "closes_at", "x"), en("error.closes_at.malformed")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := w.browser().submit("/ballots", c.form).want(t, http.StatusUnprocessableEntity).says(t, c.says)
			if c.name == "all at once" {
				p.says(t, en("error.question.required"), en("error.options.too_few"))
			}
			if got, want := p.value("question"), c.form.Get("question"); got != strings.ToValidUTF8(want, "\ufffd") {
				t.Errorf("the question became %q", got)
			}
			var typed []string
			for _, option := range c.form["options"] {
				if strings.TrimSpace(option) != "" {
					typed = append(typed, option)
				}
			}
			if got := p.values("options"); len(got) < len(typed) || strings.Join(got[:len(typed)], "|") != strings.Join(typed, "|") {
				t.Errorf("the options became %q", got)
			}
		})
	}
	t.Run("the keys are away", func(t *testing.T) {
		w.faults.set(func(f *faults) { f.create = func() error { return unavailable(oponn.CodeKeysUnavailable) } })
		defer w.faults.set(func(f *faults) { f.create = nil })
		p := w.browser().submit("/ballots", fields(good...)).want(t, http.StatusServiceUnavailable)
		if p.header.Get("Retry-After") == "" || p.value("question") != "Tea or coffee?" {
			t.Errorf("page %s", p.text())
		}
	})
}

func TestHTMX(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	path := b.makeBallot()
	b.header = head("HX-Request", "true", "HX-Request-Type", "partial")
	form := b.open(path).want(t, http.StatusOK)
	whole := func(p page) bool { return strings.Contains(p.body, "<html") }
	if whole(form) {
		t.Error("htmx asked for a part and got a document")
	}
	p := b.submit(path+"/votes", fields("choice", "1", "vote_id", form.value("vote_id"))).want(t, http.StatusOK).says(t, en("receipt.counted"))
	if push := p.header.Get("HX-Push-Url"); whole(p) || !strings.HasPrefix(push, path+"/results?after=") {
		t.Errorf("the vote's answer: push %q, document %v", push, whole(p))
	}
	p = b.submit(path+"/votes", fields("choice", "2", "vote_id", form.value("vote_id"))).want(t, http.StatusOK).says(t, en("result.first_stands"))
	if whole(p) || p.header.Get("HX-Push-Url") == "" {
		t.Error("a second vote's answer is no part")
	}
	if p = b.submit("/ballots", fields("question", "Why?")).want(t, http.StatusUnprocessableEntity); whole(p) {
		t.Error("the answer to a wrong form is no part")
	}
	p = b.submit("/ballots", fields("question", "Why?", "options", "a", "options", "b")).want(t, http.StatusOK)
	if !strings.HasPrefix(p.header.Get("HX-Redirect"), "/ballots/") {
		t.Errorf("creating answers %v", p.header)
	}
	if p = b.open("/nowhere").want(t, http.StatusNotFound); whole(p) {
		t.Error("an error is no part")
	}
	b.header = head("HX-Request", "true", "HX-Request-Type", "full")
	if !whole(b.open(path + "/results")) {
		t.Error("htmx asked for a document and got a part")
	}
}

func TestPagesNotThere(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	b.open("/ballots/"+oponn.NewBallotID().String()).want(t, http.StatusNotFound).says(t, en("problem.not_found.title"))
	b.open("/ballots/x/results").want(t, http.StatusNotFound).says(t, en("problem.not_found.title"))
	b.open("/nowhere").want(t, http.StatusNotFound).says(t, en("problem.not_found.title"))
	b.open("/ballots").want(t, http.StatusMethodNotAllowed)
	b.submit("/new", nil).want(t, http.StatusMethodNotAllowed)
	b.submit("/ballots/x/votes", nil).want(t, http.StatusNotFound)
	if r := w.get("/ballots"); r.header.Get("Allow") != "OPTIONS, POST" {
		t.Errorf("Allow: %q", r.header.Get("Allow"))
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for _, path := range []string{"/", "/new", "/ballots/" + b.ID, "/ballots/" + b.ID + "/results", "/api/v1/ballots/" + b.ID,
		"/api/v1/ballots/" + b.ID + "/results", "/nowhere", "/ballots/x", views.NewAssets().URL("oponn.css")} {
		got, want := w.do(request{method: http.MethodHead, path: path}), w.get(path)
		if got.status != want.status || got.body != "" || got.header.Get("Content-Type") != want.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d %q, GET: %d %q", path, got.status, got.header, want.status, want.header)
		}
	}
}

func TestPagesWhileTheStoreIsAway(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	path := b.makeBallot()
	b.open(path)
	w.faults.set(func(f *faults) { f.voted = func() error { return unavailable(oponn.CodeStoreUnavailable) } })
	b.open(path).want(t, http.StatusOK).says(t, "tea")
	b.open(path+"/results").want(t, http.StatusOK)
	w.faults.set(func(f *faults) {
		f.result = func() error { return unavailable(oponn.CodeStoreUnavailable) }
		f.owned = f.result
	})
	for _, p := range []string{"/", path, path + "/results"} {
		if r := b.open(p).want(t, http.StatusServiceUnavailable); r.header.Get("Retry-After") == "" {
			t.Errorf("%s has no Retry-After", p)
		}
	}
}
