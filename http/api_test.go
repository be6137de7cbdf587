package http_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

func TestAPICreates(t *testing.T) {
	w := start(t, tuning{})
	r := w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Content-Type", "application/json; charset=UTF-8").want(t, http.StatusCreated)
	b := document[created](t, r)
	if b.ID == "" || len(b.OwnerKey) != 43 || b.URL != w.url+"/ballots/"+b.ID || r.header.Get("Location") != w.url+"/api/v1/ballots/"+b.ID {
		t.Fatalf("created %+v, Location %s", b, r.header.Get("Location"))
	}
	if len(b.Options) != 2 || b.Options[0].ID != "1" || b.Options[1].Label != "coffee" {
		t.Errorf("options %+v", b.Options)
	}
	if len(r.header.Values("Set-Cookie")) > 0 {
		t.Error("the API gave a cookie")
	}
	got := w.get("/api/v1/ballots/"+b.ID).want(t, http.StatusOK)
	if strings.Contains(got.body, b.OwnerKey) || !strings.Contains(got.body, `"closes_at":null`) || !strings.Contains(got.body, `"allow_write_in":true`) {
		t.Errorf("definition %s", got.body)
	}
	offset := teaOrCoffee()
	offset["opens_at"], offset["closes_at"] = nil, "2030-06-01T12:00:00+02:00"
	got = w.get("/api/v1/ballots/"+w.ballot(offset).ID).want(t, http.StatusOK)
	if !strings.Contains(got.body, `"closes_at":"2030-06-01T10:00:00Z"`) || !strings.Contains(got.body, `"opens_at":null`) {
		t.Errorf("definition %s", got.body)
	}
}

func TestAPIVotes(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	token, vote := w.token(), oponn.NewVoteID()
	first := w.cast(b.ID, token, vote, choose("1")).want(t, http.StatusCreated)
	r := document[receipt](t, first)
	if r.VoteID != vote.String() || r.Receipt == "" || r.Version != 2 || time.Since(r.At) > time.Minute || r.At.Location() != time.UTC {
		t.Errorf("receipt %+v", r)
	}
	for range 3 {
		if again := w.cast(b.ID, token, vote, choose("1")).want(t, http.StatusOK); again.body != first.body {
			t.Errorf("the repeat is %s, the first was %s", again.body, first.body)
		}
	}
	wantProblem(t, w.cast(b.ID, token, vote, choose("2")), http.StatusConflict, "vote_id_reused")
	wantProblem(t, w.cast(b.ID, token, oponn.NewVoteID(), choose("1")), http.StatusConflict, "already_voted")
	w.cast(b.ID, w.token(), oponn.NewVoteID(), map[string]string{"write_in": "water"}).want(t, http.StatusCreated)
	// The same as an option that is there is a vote for it.
	w.cast(b.ID, w.token(), oponn.NewVoteID(), map[string]string{"write_in": " TEA "}).want(t, http.StatusCreated)
	got := w.results(b.ID)
	if got.Ballot != b.ID || got.Votes != 3 || got.Status != "open" || len(got.Options) != 3 || got.Options[0].Votes != 2 || got.Options[2].Label != "water" {
		t.Errorf("results %+v", got)
	}
	w.close(b)
	if again := w.cast(b.ID, token, vote, choose("1")).want(t, http.StatusOK); again.body != first.body {
		t.Errorf("the repeat after closing is %s, the first was %s", again.body, first.body)
	}
	wantProblem(t, w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1")), http.StatusConflict, "closed")
}

func TestAPIVoteRefused(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	scheduled := teaOrCoffee()
	scheduled["opens_at"] = time.Now().Add(time.Hour)
	later, token := w.ballot(scheduled), w.token()
	id := oponn.NewVoteID().String()
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		name           string
		ballot, token  string
		vote, body     string
		status         int
		code           string
		field, problem string
	}{
		{"no token", b.ID, "", id, `{"choices":["1"]}`, 401, "voter_required", "", ""},
		{"forged token", b.ID, strings.Repeat("A", len(token)), id, `{"choices":["1"]}`, 401, "voter_required", "", ""},
		{"broken token", b.ID, token[1:], id, `{"choices":["1"]}`, 401, "voter_required", "", ""},
		{"no vote id", b.ID, token, "", `{"choices":["1"]}`, 422, "invalid", "vote_id", "malformed"},
		{"malformed vote id", b.ID, token, "123", `{"choices":["1"]}`, 422, "invalid", "vote_id", "malformed"},
		{"nil vote id", b.ID, token, "00000000-0000-0000-0000-000000000000", `{"choices":["1"]}`, 422, "invalid", "vote_id", "malformed"},
		{"unknown ballot", oponn.NewBallotID().String(), token, id, `{"choices":["1"]}`, 404, "not_found", "", ""},
		{"malformed ballot", "x", token, id, `{"choices":["1"]}`, 404, "not_found", "", ""},
		{"unknown option", b.ID, token, id, `{"choices":["3"]}`, 422, "invalid", "choices", "unknown_option"},
		{"no option", b.ID, token, id, `{"choices":[]}`, 422, "invalid", "choices", "required"},
		{"nothing", b.ID, token, id, `{}`, 422, "invalid", "choices", "required"},
		{"two options", b.ID, token, id, `{"choices":["1","2"]}`, 422, "invalid", "choices", "too_many"},
		{"option and write-in", b.ID, token, id, `{"choices":["1"],"write_in":"x"}`, 422, "invalid", "choices", "too_many"},
		{"long write-in", b.ID, token, id, `{"write_in":"` + long + `"}`, 422, "invalid", "write_in", "too_long"},
		{"NUL write-in", b.ID, token, id, `{"write_in":"a\u0000"}`, 422, "invalid", "write_in", "forbidden_character"},
		{"number for text", b.ID, token, id, `{"choices":[1]}`, 422, "invalid", "choices", "type"},
		{"unknown field", b.ID, token, id, `{"choices":["1"],"weight":2}`, 422, "invalid", "weight", "unknown"},
		{"not JSON", b.ID, token, id, `choices=1`, 400, "malformed", "", ""},
		{"too large", b.ID, token, id, `{"write_in":"` + strings.Repeat("x", 8<<10) + `"}`, 413, "too_large", "", ""},
		{"not open yet", later.ID, token, id, `{"choices":["1"]}`, 409, "not_open", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots/"+c.ballot+"/votes", c.body,
				"Authorization", "Bearer "+c.token, "Idempotency-Key", c.vote), c.status, c.code)
			if c.field != "" && p.errors()[c.field] != c.problem {
				t.Errorf("errors %+v", p.Errors)
			}
		})
	}
	if n := w.results(b.ID).Votes; n != 0 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestAPIRefusesBallots(t *testing.T) {
	w := start(t, tuning{})
	many := make([]string, 51)
	for i := range many {
		many[i] = "option " + strconv.Itoa(i)
	}
	with := func(field string, value any) draft {
		d := teaOrCoffee()
		d[field] = value
		return d
	}
	for _, c := range []struct {
		name        string
		body        any
		field, code string
	}{
		{"no question", draft{"options": []string{"a", "b"}}, "question", "required"},
		{"blank question", with("question", " \u2003"), "question", "required"},
		{"long question", with("question", strings.Repeat("x", 501)), "question", "too_long"},
		{"control character", with("question", "a\u0007b"), "question", "forbidden_character"},
		{"bidi override", with("options", []string{"a", "b\u202ec"}), "options[1]", "forbidden_character"},
		{"NUL", with("options", []string{"a\x00", "b"}), "options[0]", "forbidden_character"},
		{"no options", draft{"question": "Why?"}, "options", "too_few"},
		{"one option", with("options", []string{"a"}), "options", "too_few"},
		{"51 options", with("options", many), "options", "too_many"},
		{"empty option", with("options", []string{"a", ""}), "options[1]", "required"},
		{"equal options", with("options", []string{"caf\u00e9", "b", "CAFE\u0301 "}), "options[2]", "duplicate"},
		{"long label", with("options", []string{"a", strings.Repeat("x", 201)}), "options[1]", "too_long"},
		{"closes before it opens", with("closes_at", "2001-01-01T00:00:00Z"), "closes_at", "past"},
		{"time without zone", with("closes_at", "2030-01-01T00:00:00"), "closes_at", "malformed"},
		{"time as a number", with("opens_at", 5), "opens_at", "type"},
		{"options as text", with("options", "a,b"), "options", "type"},
		{"unknown field", with("colour", "red"), "colour", "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", c.body), http.StatusUnprocessableEntity, "invalid")
			if p.errors()[c.field] != c.code {
				t.Errorf("errors %+v", p.Errors)
			}
		})
	}
	p := wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", draft{"opens_at": "x", "closes_at": "y"}), http.StatusUnprocessableEntity, "invalid")
	if fields := p.errors(); len(fields) != 4 {
		t.Errorf("not all that is wrong is told at once: %v", fields)
	}
}

func TestAPIRefusesBodies(t *testing.T) {
	w := start(t, tuning{})
	good := `{"question":"Why?","options":["a","b"]}`
	for name, body := range map[string]string{
		"empty": "", "not JSON": "question=Why", "array": `["a"]`, "null": "null", "text": `"a"`, "cut off": good[:20],
		"trailing garbage": good + "x", "two documents": good + good, "not UTF-8": "{\"question\":\"\xff\"}",
		"deep nesting": `{"question":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}",
		"byte order":   "\ufeff" + good,
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", body), http.StatusBadRequest, "malformed")
		})
	}
	for name, kind := range map[string]string{"form": "application/x-www-form-urlencoded", "text": "text/plain", "nonsense": ";;", "latin": "application/json; charset=latin1"} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", good, "Content-Type", kind), http.StatusUnsupportedMediaType, "unsupported")
		})
	}
	large := `{"question":"` + strings.Repeat("x", 256<<10) + `"}`
	wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", large), http.StatusRequestEntityTooLarge, "too_large")
	w.browser().submit("/ballots", fields("question", large)).want(t, http.StatusRequestEntityTooLarge).says(t, en("problem.too_large.title"))
	wantProblem(t, w.send(http.MethodPost, "/api/v1/voters", strings.Repeat(" ", 64<<10)+"{}"), http.StatusRequestEntityTooLarge, "too_large")
	for name, r := range map[string]request{
		"not a form": {header: head("Content-Type", "multipart/form-data; boundary=x")},
		"bad escape": {header: head("Content-Type", "application/x-www-form-urlencoded"), body: reader("question=%zz")},
		"not UTF-8":  {header: head("Content-Type", "application/x-www-form-urlencoded"), body: reader("question=%ff")},
	} {
		r.method, r.path = http.MethodPost, "/ballots"
		if got := w.do(r).status; got != http.StatusBadRequest && got != http.StatusUnsupportedMediaType {
			t.Errorf("%s: status %d", name, got)
		}
	}
}

func TestAPIResults(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	path := "/api/v1/ballots/" + b.ID + "/results"
	r := w.get(path).want(t, http.StatusOK)
	if r.header.Get("ETag") != `"1"` || r.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("head %v", r.header)
	}
	want := `{"ballot":"` + b.ID + `","version":1,"votes":0,"status":"open","options":[{"id":"1","label":"tea","votes":0},{"id":"2","label":"coffee","votes":0}]}`
	if r.body != want {
		t.Errorf("results\n%s, want\n%s", r.body, want)
	}
	for _, tag := range []string{`"1"`, `W/"1"`, `"x", "1"`, `*`} {
		if r := w.get(path, "If-None-Match", tag); r.status != http.StatusNotModified || r.body != "" || r.header.Get("ETag") != `"1"` {
			t.Errorf("If-None-Match %s: %d %q", tag, r.status, r.body)
		}
	}
	v := w.vote(b.ID, "2").Version
	for _, r := range []reply{w.get(path, "If-None-Match", `"1"`), w.get(path + "?after=" + strconv.FormatUint(v, 10)), w.get(path + "?after=x")} {
		if got := document[tally](t, r.want(t, http.StatusOK)); got.Version != v || got.Options[1].Votes != 1 {
			t.Errorf("results %+v, want version %d", got, v)
		}
	}
	if r := w.do(request{method: http.MethodHead, path: path}); r.status != http.StatusOK || r.body != "" || r.header.Get("ETag") != `"2"` {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
}

func TestAPICloses(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	path := "/api/v1/ballots/" + b.ID
	for name, key := range map[string]string{"no key": "", "a voter's token": w.token(), "another owner's": w.ballot(teaOrCoffee()).OwnerKey} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, w.send(http.MethodPatch, path, `{"status":"closed"}`, "Authorization", "Bearer "+key), http.StatusForbidden, "owner_required")
		})
	}
	for body, field := range map[string]string{`{}`: "status", `{"status":"scheduled"}`: "status", `{"status":"done"}`: "status", `{"question":""}`: "question", `{"options":null}`: "options",
		`{"closes_at":"soon"}`: "closes_at", `{"closes_at":1}`: "closes_at", `{"closes_at":"2001-01-01T00:00:00Z"}`: "closes_at", `{"status":"closed","closes_at":null}`: "closes_at"} {
		p := wantProblem(t, w.send(http.MethodPatch, path, body, "Authorization", "Bearer "+b.OwnerKey), http.StatusUnprocessableEntity, "invalid")
		if p.errors()[field] == "" {
			t.Errorf("%s: errors %+v", body, p.Errors)
		}
	}
	r := w.close(b)
	if !strings.Contains(r.body, `"status":"closed"`) || strings.Contains(r.body, `"closed_at":null`) {
		t.Errorf("closed: %s", r.body)
	}
	if got := w.results(b.ID); got.Status != "closed" || got.Version != 2 {
		t.Errorf("results %+v", got)
	}
	w.close(b)
	wantProblem(t, w.send(http.MethodPatch, "/api/v1/ballots/"+oponn.NewBallotID().String(), `{}`), http.StatusNotFound, "not_found")
}

func TestVoterTokens(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
	r := w.send(http.MethodPost, "/api/v1/voters", `{"count":1000}`).want(t, http.StatusCreated)
	tokens := document[struct{ Tokens []string }](t, r).Tokens
	slices.Sort(tokens)
	if len(tokens) != 1000 || len(slices.Compact(tokens)) != 1000 {
		t.Errorf("%d tokens", len(tokens))
	}
	for body, code := range map[string]string{`{}`: "required", `{"count":0}`: "out_of_range", `{"count":-1}`: "out_of_range", `{"count":1001}`: "out_of_range", `{"count":1.5}`: "type", `{"count":"1"}`: "type"} {
		if p := wantProblem(t, w.send(http.MethodPost, "/api/v1/voters", body), http.StatusUnprocessableEntity, "invalid"); p.errors()["count"] != code {
			t.Errorf("%s: %+v", body, p.Errors)
		}
	}
	for range 20 {
		if r = w.send(http.MethodPost, "/api/v1/voters", `{"count":1000}`); r.status != http.StatusCreated {
			break
		}
	}
	wantProblem(t, r, http.StatusTooManyRequests, "rate_limited")
	if after, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || after < 1 || after > 60 {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	off := start(t, tuning{http: func(c *oponnhttp.Config) { c.VoterTokens = false }})
	wantProblem(t, off.send(http.MethodPost, "/api/v1/voters", `{"count":1}`), http.StatusNotFound, "not_found")
}

func TestSecretsRotate(t *testing.T) {
	old := start(t, tuning{})
	token, cookie := old.token(), cookieOf(t, old.get("/new"), "oponn_owner")
	rotated := start(t, tuning{http: func(c *oponnhttp.Config) { c.Secrets = [][]byte{[]byte("a newer secret of the tests"), secret} }})
	rotated.cast(rotated.ballot(teaOrCoffee()).ID, token, oponn.NewVoteID(), choose("1")).want(t, http.StatusCreated)
	if renewed := cookieOf(t, rotated.get("/new", "Cookie", "oponn_owner="+cookie), "oponn_owner"); renewed[:20] != cookie[:20] || renewed == cookie {
		t.Errorf("the owner's cookie %s became %s: not the same owner signed anew", cookie, renewed)
	}
	other := start(t, tuning{http: func(c *oponnhttp.Config) { c.Secrets = [][]byte{[]byte("a newer secret of the tests")} }})
	wantProblem(t, other.cast(other.ballot(teaOrCoffee()).ID, token, oponn.NewVoteID(), choose("1")), http.StatusUnauthorized, "voter_required")
}

// cookieOf returns the value of a cookie that a reply sets.
func cookieOf(t *testing.T, r reply, name string) string {
	t.Helper()
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	t.Fatalf("no cookie %s in %v", name, r.header.Values("Set-Cookie"))
	return ""
}

func TestAPIErrorsOfTheRuntime(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for code, status := range map[oponn.Code]int{
		oponn.CodeGone: 410, oponn.CodeBusy: 503, oponn.CodeStoreUnavailable: 503, oponn.CodeKeysUnavailable: 503,
		oponn.CodeDraining: 503, oponn.CodeOutcomeUnknown: 503, oponn.CodeInternal: 500, "brand_new": 500,
	} {
		t.Run(string(code), func(t *testing.T) {
			fail := func() error { return oponn.Errorf(code, "This part is broken in a test.") }
			if status == http.StatusServiceUnavailable {
				fail = func() error { return unavailable(code) }
			}
			w.faults.set(func(f *faults) {
				f.result = fail
				f.cast = func(func() (oponn.Receipt, error)) (oponn.Receipt, error) { return oponn.Receipt{}, fail() }
			})
			defer w.faults.set(func(f *faults) { f.result, f.cast = nil, nil })
			for _, r := range []reply{w.get("/api/v1/ballots/" + b.ID), w.get("/api/v1/ballots/" + b.ID + "/results"), w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1"))} {
				wantProblem(t, r, status, string(code))
				if after := r.header.Get("Retry-After"); (after != "") != (status == http.StatusServiceUnavailable) {
					t.Errorf("Retry-After %q", after)
				}
			}
			w.browser().open("/ballots/"+b.ID).want(t, status)
		})
	}
	wantProblem(t, w.get("/api/v1/nowhere"), http.StatusNotFound, "not_found")
	wantProblem(t, w.get("/api/v1/ballots"), http.StatusMethodNotAllowed, "method_not_allowed")
	wantProblem(t, w.get("/api/v1/ballots/"+b.ID+"/votes"), http.StatusMethodNotAllowed, "method_not_allowed")
	wantProblem(t, w.send(http.MethodPut, "/api/v1/ballots/"+b.ID, ""), http.StatusMethodNotAllowed, "method_not_allowed")
}
