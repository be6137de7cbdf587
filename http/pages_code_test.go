package http_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

// byCode makes a ballot on which codes vote, and so many of them.
func (w *world) byCode(count int, pairs ...any) (created, []oponn.VotingCode) {
	w.t.Helper()
	b := w.ballot(teaOrCoffee().with(append([]any{"protection", "codes"}, pairs...)...))
	r := w.send(http.MethodPost, "/api/v1/ballots/"+b.ID+"/codes", map[string]int{"count": count}, "Authorization", "Bearer "+b.OwnerKey)
	return b, document[struct{ Codes []oponn.VotingCode }](w.t, r.want(w.t, http.StatusCreated)).Codes
}

// byAPI votes with a code by the API.
func (w *world) byAPI(ballot string, code oponn.VotingCode, option string) reply {
	w.t.Helper()
	return w.send(http.MethodPost, "/api/v1/ballots/"+ballot+"/votes", map[string]any{"code": code, "choices": []string{option}},
		"Idempotency-Key", oponn.NewVoteID().String())
}

// link opens the link of a code.
func (b *browser) link(path string, code oponn.VotingCode) page {
	b.t.Helper()
	return b.open(path + "/codes/" + code.Plain())
}

// choose fills in the form of a page and sends it.
func (b *browser) choose(path string, form page, option string, pairs ...string) page {
	b.t.Helper()
	return b.submit(path+"/votes", fields(append([]string{"vote_id", form.value("vote_id"), "choice", option}, pairs...)...))
}

func hasField(p page, name string) bool { return len(p.values(name)) > 0 }

func TestVoteByForm_CodeTyped(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(2, "visibility", "after_voting")
	path, code := "/ballots/"+b.ID, string(codes[0])
	voter := w.browser()
	form := voter.open(path).want(t, http.StatusOK).says(t, en("vote.code"), en("vote.protection.codes"))
	for typed, says := range map[string]string{"": "required", " ": "required", "x": "refused", code[:len(code)-1]: "refused", string(oponn.NewVotingCode()): "refused"} {
		p := voter.choose(path, form, "2", "code", typed).want(t, http.StatusUnprocessableEntity).says(t, en("error.code."+says))
		if p.value("code") != typed || p.value("choice") != "2" || p.value("vote_id") != form.value("vote_id") {
			t.Errorf("typed %q, kept %q, choice %q and vote id %q", typed, p.value("code"), p.value("choice"), p.value("vote_id"))
		}
	}
	voter.choose(path, form, "2").want(t, http.StatusUnprocessableEntity).says(t, en("error.code.required"))
	voter.choose(path, form, "9", "code", code).want(t, http.StatusUnprocessableEntity).says(t, en("error.choice.unknown_option"))
	sloppy := " " + strings.ToLower(strings.NewReplacer("-", " ", "0", "o", "1", "l").Replace(code))
	for range 2 { // a double tap is one vote
		p := voter.choose(path, form, "2", "code", sloppy).want(t, http.StatusOK).says(t, en("receipt.counted"), "1 vote")
		if !strings.HasPrefix(p.path, path+"/results") {
			t.Errorf("voting led to %s", p.path)
		}
	}
	// From then on the browser is the code's voter.
	voter.open(path).says(t, en("receipt.counted"), "1 vote")
	voter.choose(path, form, "1", "code", code).want(t, http.StatusOK).says(t, en("result.first_stands"))
	voter.submit(path+"/votes", fields("vote_id", oponn.NewVoteID().String(), "choice", "1")).want(t, http.StatusOK).says(t, en("result.already.code"))

	// For somebody else a code that was used is as good as a wrong one.
	other := w.browser()
	elsewhere := other.open(path)
	used := other.choose(path, elsewhere, "1", "code", code).want(t, http.StatusUnprocessableEntity).says(t, en("error.code.refused"))
	wrong := other.choose(path, elsewhere, "1", "code", string(oponn.NewVotingCode())).want(t, http.StatusUnprocessableEntity)
	if used.text() != wrong.text() {
		t.Error("a used code and a wrong one look different")
	}
	other.open(path+"/results").says(t, en("result.hidden.after_voting"))

	// The browser that has voted has another code, too.
	another := voter.open(path+"?code=another").want(t, http.StatusOK).hides(t, en("vote.code.held"))
	voter.choose(path, another, "1", "code", string(codes[1])).want(t, http.StatusOK).says(t, en("receipt.counted"), "2 votes")
	if r := w.resultsFor(b.ID, codes[1]); r.Votes != 2 || r.Options[0].Votes != 1 {
		t.Errorf("results %+v", r)
	}
	if strings.Contains(w.log.all()+w.behind.all(), code) {
		t.Error("the log tells a code")
	}
}

func TestCodeLink(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(3, "visibility", "after_voting", "allow_change", true)
	path := "/ballots/" + b.ID
	address := path + "/codes/" + codes[0].Plain()
	r := w.get(address).want(t, http.StatusSeeOther)
	if r.header.Get("Location") != path || r.header.Get("Referrer-Policy") != "no-referrer" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the link answers %v", r.header)
	}
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	if flags := strings.TrimPrefix(r.header.Get("Set-Cookie"), cookie); flags != "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax" ||
		!strings.HasPrefix(cookie, "oponn_code_"+b.ID+"=") {
		t.Errorf("the cookie is %s", r.header.Get("Set-Cookie"))
	}

	// Opening it uses nothing up, whoever does it, and tells nothing.
	first, second := w.browser(), w.browser()
	for range 2 {
		for _, voter := range []*browser{first, second} {
			p := voter.link(path, codes[0]).want(t, http.StatusOK).says(t, en("vote.code.held"))
			if p.path != path || hasField(p, "code") || strings.Contains(p.body, codes[0].Plain()) || strings.Contains(p.body, string(codes[0])) {
				t.Errorf("the link leads to %s: %s", p.path, p.text())
			}
		}
	}
	second.open(path+"/results").says(t, en("result.hidden.after_voting"))
	form := first.open(path)
	first.choose(path, form, "9").want(t, http.StatusUnprocessableEntity).says(t, en("error.choice.unknown_option"), en("vote.code.held"))
	voted := first.choose(path, form, "2").want(t, http.StatusOK).says(t, en("receipt.counted"), "1 vote")

	// Both browsers are the same voter: for the result, the receipt and a change.
	if p := second.link(path, codes[0]).says(t, en("receipt.counted"), "1 vote"); receiptOf(p) != receiptOf(voted) {
		t.Errorf("receipts %s and %s", receiptOf(voted), receiptOf(p))
	}
	second.choose(path, second.open(path+"?change=1").says(t, "takes the place of the vote with the receipt"), "1").want(t, http.StatusOK).says(t, en("receipt.changed"), "1 vote")
	if r := w.resultsFor(b.ID, codes[0]); r.Votes != 1 || r.Options[0].Votes != 1 {
		t.Errorf("results %+v", r)
	}
	// Another link on the same phone is another voter.
	second.choose(path, second.link(path, codes[1]).says(t, en("vote.code.held")), "1").want(t, http.StatusOK).says(t, "2 votes")

	if strings.Contains(w.log.all()+w.behind.all(), codes[0].Plain()) {
		t.Error("the log tells a code")
	}
	w.send(http.MethodDelete, "/api/v1/ballots/"+b.ID, "", "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusNoContent)
	second.link(path, codes[2]).want(t, http.StatusGone)
}

// Another site's page can't change the code that somebody is about to vote
// with.
func TestCodeLink_FromAnotherSite(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(3)
	path := "/ballots/" + b.ID
	voter := w.browser()
	from := func(site string, code oponn.VotingCode) page {
		voter.header = head("Sec-Fetch-Site", site)
		defer func() { voter.header = http.Header{} }()
		return voter.link(path, code)
	}
	mine := func(code oponn.VotingCode) bool {
		return strings.Contains(voter.cookies(), cookieOf(t, w.get(path+"/codes/"+code.Plain()), "oponn_code_"+b.ID))
	}
	from("cross-site", codes[0]).says(t, en("vote.code.held")) // a link in a mail
	if from("cross-site", codes[1]); !mine(codes[0]) {
		t.Error("another site's link took the code's place")
	}
	if from("none", codes[1]); !mine(codes[1]) {
		t.Error("a camera's link did not")
	}
	voter.choose(path, voter.open(path), "1").want(t, http.StatusOK).says(t, "1 vote")
	from("cross-site", codes[2]).says(t, en("vote.code.held"))
	voter.choose(path, voter.open(path), "1").want(t, http.StatusOK).says(t, "2 votes")
}

func TestCodeLink_NoGood(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(1)
	plain := w.browser().makeBallot()
	path := "/ballots/" + b.ID
	for _, text := range []string{"x", codes[0].Plain()[1:], codes[0].Plain() + "--$$", "%00", strings.Repeat("0", 2000)} {
		p := w.browser().open(path+"/codes/"+text).want(t, http.StatusOK).says(t, en("error.code.refused"), en("vote.code"))
		if p.path != path+"?code=refused" || strings.Contains(p.header.Get("Set-Cookie"), "oponn_code") {
			t.Errorf("%s leads to %s with %v", text, p.path, p.header)
		}
	}
	w.get(path+"/codes/").want(t, http.StatusNotFound)
	w.get("/ballots/"+oponn.NewBallotID().String()+"/codes/"+codes[0].Plain()).want(t, http.StatusNotFound)
	if r := w.get(plain+"/codes/"+codes[0].Plain()).want(t, http.StatusSeeOther); r.header.Get("Set-Cookie") != "" {
		t.Error("a ballot without codes takes one")
	}
	// A code that nobody was given looks good until somebody votes.
	voter := w.browser()
	form := voter.link(path, oponn.NewVotingCode()).says(t, en("vote.code.held"))
	p := voter.choose(path, form, "1").want(t, http.StatusUnprocessableEntity).says(t, en("error.code.refused"))
	if !hasField(p, "code") || p.value("choice") != "1" {
		t.Errorf("the page has no field for a code: %s", p.text())
	}
	if again := voter.open(path); !hasField(again, "code") {
		t.Error("the cookie of a wrong code stays")
	}
	voter.choose(path, p, "1", "code", string(codes[0])).want(t, http.StatusOK).says(t, en("receipt.counted"))
}

// TestCodeCookie_Forged gives cookies that are not what they say.
func TestCodeCookie_Forged(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(1, "visibility", "after_voting")
	other, _ := w.byCode(1)
	w.byAPI(b.ID, codes[0], "1").want(t, http.StatusCreated)
	good := cookieOf(t, w.get("/ballots/"+b.ID+"/codes/"+codes[0].Plain()), "oponn_code_"+b.ID)
	sees := func(path, name, value string) bool {
		return strings.Contains(w.get(path, "Cookie", name+"="+value).want(t, http.StatusOK).body, en("receipt.counted"))
	}
	results := "/ballots/" + b.ID + "/results"
	if !sees(results, "oponn_code_"+b.ID, good) {
		t.Fatal("the cookie opens nothing")
	}
	for name, value := range map[string]string{"changed": "A" + good[1:], "cut": good[:40], "none": "", "a voter's": cookieOf(t, w.get("/ballots/"+b.ID), "oponn_voter")} {
		if value != good && sees(results, "oponn_code_"+b.ID, value) {
			t.Errorf("%s: it opens", name)
		}
	}
	if sees("/ballots/"+other.ID+"/results", "oponn_code_"+other.ID, good) || sees(results, "oponn_voter", good) {
		t.Error("the cookie is good elsewhere")
	}
}

func TestCodeCookie_Secure(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "vote.example"} }})
	b, codes := w.byCode(1)
	cookie := w.get("/ballots/"+b.ID+"/codes/"+codes[0].Plain(), "Host", "vote.example").want(t, http.StatusSeeOther).header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-oponn_code_"+b.ID+"=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("the cookie is %s", cookie)
	}
}

func TestCodeCookie_NoMoreThanTwenty(t *testing.T) {
	w := start(t, tuning{})
	voter := w.browser()
	var last string
	for range 23 {
		b, codes := w.byCode(1)
		last = "/ballots/" + b.ID
		voter.link(last, codes[0]).want(t, http.StatusOK)
	}
	if n := strings.Count(voter.cookies(), "oponn_code_"); n != 20 {
		t.Errorf("the browser keeps %d cookies", n)
	}
	voter.open(last).says(t, en("vote.code.held"))
}

func TestVoteByCode_Once(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(1)
	path := "/ballots/" + b.ID
	counted := make(chan string, 12)
	var votes []func()
	for i := range 4 {
		linked, typing := w.browser(), w.browser()
		held, empty := linked.link(path, codes[0]), typing.open(path)
		votes = append(votes, func() {
			if w.byAPI(b.ID, codes[0], "1").status == http.StatusCreated {
				counted <- "by the API"
			}
		}, func() {
			if p := linked.choose(path, held, "2"); p.status != http.StatusOK {
				t.Errorf("browser %d with the link: status %d: %s", i, p.status, p.text())
			} else if !strings.Contains(p.text(), en("result.already.code")) {
				counted <- "by its link"
			}
		}, func() {
			if typing.choose(path, empty, "1", "code", string(codes[0])).status == http.StatusOK {
				counted <- "typed"
			}
		})
	}
	var done sync.WaitGroup
	for _, vote := range votes {
		done.Go(vote)
	}
	done.Wait()
	if r := w.results(b.ID); r.Votes != 1 || len(counted) != 1 {
		t.Errorf("%d votes, %d were told so", r.Votes, len(counted))
	}
}

func TestVoteByCode_HTMX(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(2, "visibility", "after_voting")
	path := "/ballots/" + b.ID
	voter := w.browser()
	voter.header = head("HX-Request", "true", "HX-Request-Type", "partial")
	form := voter.open(path)
	p := voter.choose(path, form, "1", "code", "x").want(t, http.StatusUnprocessableEntity).says(t, en("error.code.refused"))
	if p.value("code") != "x" || strings.Contains(p.body, "<html") {
		t.Errorf("page %s", p.body)
	}
	p = voter.choose(path, form, "1", "code", string(codes[0])).want(t, http.StatusOK).says(t, en("receipt.counted"), "1 vote")
	if push := p.header.Get("HX-Push-Url"); !strings.HasPrefix(push, path+"/results?after=") || strings.Contains(p.body, "<html") {
		t.Errorf("the vote's answer: push %q", push)
	}
	stream := w.listen(path+"/live", "Cookie", voter.cookies())
	defer stream.leave()
	if m := stream.await(""); fragmentVotes(t, m) != "1 0" {
		t.Errorf("the stream shows %s", m.data)
	}
	voter.header = http.Header{}
	voter.choose(path, voter.link(path, codes[1]), "2").want(t, http.StatusOK).says(t, "2 votes")
}

// resultsFor are the results that the voter of a code sees.
func (w *world) resultsFor(ballot string, code oponn.VotingCode) tally {
	w.t.Helper()
	return document[tally](w.t, w.get("/api/v1/ballots/"+ballot+"/results", "Authorization", "Bearer "+string(code)).want(w.t, http.StatusOK))
}
