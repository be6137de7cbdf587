package http_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// alike is what an answer tells: all of it but when it was given, under which
// number, and what it says back of the question.
func alike(r reply, own ...string) string {
	h := maps.Clone(map[string][]string(r.header))
	delete(h, "Date")
	delete(h, "X-Request-Id")
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value := strings.Join(h[name], ", ")
		if name == "Content-Length" && len(own) > 0 {
			continue
		}
		lines = append(lines, name+": "+value)
	}
	r.body = clocks.ReplaceAllString(r.body, "")
	said := strings.Join(lines, "\n") + "\n" + strings.ReplaceAll(r.body, r.header.Get("X-Request-Id"), "")
	for _, text := range own {
		said = strings.ReplaceAll(said, text, "")
	}
	return fmt.Sprintf("%d\n%s", r.status, said)
}

// clocks are what pages show of the server's.
var clocks = regexp.MustCompile(`data-now="[^"]*"`)

// wantAlike checks that all answers tell the same.
func wantAlike(t *testing.T, what string, answers map[string]string) {
	t.Helper()
	var first string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if first == "" {
			first = name
		}
		if answers[name] != answers[first] {
			a, b := answers[first], answers[name]
			at := 0
			for at < min(len(a), len(b)) && a[at] == b[at] {
				at++
			}
			from := max(at-100, 0)
			t.Errorf("%s: %s and %s can be told apart:\n%.300s\n---\n%.300s", what, first, name, a[from:], b[from:])
		}
	}
}

// blind are the routes that answer before they have looked whether there is a
// ballot: what isn't an id at all is turned away earlier, as everybody can tell.
var blind = map[string]bool{"/b/:id": true, "/api/v1/ballots/:id/votes": true}

// TestGuessing_Ballots asks for ballots that aren't there, by every route: ids
// that could be one, and ids that could not.
func TestGuessing_Ballots(t *testing.T) {
	w := start(t, tuning{})
	there := w.ballot(teaOrCoffee())
	ids := map[string]string{
		"an id": oponn.NewBallotID().String(), "another": oponn.NewBallotID().String(), "one letter off": other(there.ID), "zeros": strings.Repeat("A", 22),
		"a short one": there.ID[:21], "a long one": there.ID + "A", "other letters": strings.Repeat("~", 22), "words": "qwxz-qwxz", "a dash first": "-" + there.ID[1:],
	}
	for _, route := range w.server.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if !strings.Contains(pattern, ":id") {
			continue
		}
		answers := map[string]string{}
		for name, id := range ids {
			_, malformed := oponn.ParseBallotID(id)
			if malformed != nil && blind[pattern] {
				continue
			}
			path := strings.NewReplacer(":id", id, ":receipt", "x", ":option", "1", ":code", "x").Replace(pattern)
			header := head("Authorization", "Bearer "+there.OwnerKey, "Idempotency-Key", "6a3f0a5e-5a0d-4c7b-9a70-0d8c7d4b8a11")
			body := `{"choices":["1"],"count":1,"hidden":true,"status":"closed"}`
			if header.Set("Content-Type", "application/json"); !strings.HasPrefix(pattern, "/api/") {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
				body = "choice=1&vote_id=6a3f0a5e-5a0d-4c7b-9a70-0d8c7d4b8a11&action=close&reason=spam"
			}
			r := w.do(request{method: method, path: path, header: header, body: reader(body)})
			if r.status != http.StatusNotFound && !blind[pattern] && !strings.HasSuffix(pattern, "/live") {
				t.Errorf("%s by %s: %d", route, name, r.status)
			}
			answers[name] = alike(r, id)
		}
		wantAlike(t, route, answers)
	}
}

// other changes the last letter but one.
func other(text string) string {
	letter := byte('A')
	if text[len(text)-2] == letter {
		letter = 'B'
	}
	return text[:len(text)-2] + string(letter) + text[len(text)-1:]
}

func TestGuessing_OwnerKeys(t *testing.T) {
	w := start(t, tuning{})
	b, others := w.ballot(teaOrCoffee()), w.ballot(teaOrCoffee())
	keys := map[string]string{"none": "", "one letter off": other(b.OwnerKey), "the beginning": b.OwnerKey[:20], "another ballot's": others.OwnerKey,
		"a long one": b.OwnerKey + "A", "words": "qwxz-qwxz", "a token": w.token(), "a very long one": strings.Repeat("A", 4000)}
	api := "/api/v1/ballots/" + b.ID
	for _, ask := range []struct{ method, path, body string }{
		{"PATCH", api, `{"status":"closed"}`}, {"DELETE", api, ""}, {"POST", api + "/codes", `{"count":1}`}, {"PATCH", api + "/options/1", `{"hidden":true}`},
		{"GET", api + "/votes.csv", ""}, {"GET", api + "/votes.json", ""}, {"GET", api, ""},
	} {
		answers := map[string]string{}
		for name, key := range keys {
			r := w.do(request{method: ask.method, path: ask.path, body: reader(ask.body), header: head("Content-Type", "application/json", "Authorization", "Bearer "+key)})
			answers[name] = alike(r)
		}
		wantAlike(t, ask.method+" "+ask.path, answers)
	}
	answers := map[string]string{}
	for name, key := range keys {
		if key == "" {
			continue
		}
		r := w.do(request{method: http.MethodPost, path: b.path() + "/manage", body: reader(fields("owner_key", key).Encode()), header: head("Content-Type", "application/x-www-form-urlencoded")})
		answers[name] = alike(r.want(t, http.StatusForbidden))
	}
	wantAlike(t, "the key in a form", answers)
	if got := w.results(b.ID).Status; got != "open" {
		t.Errorf("somebody got through: %s", got)
	}
}

// TestGuessing_Codes compares codes that nobody was given with one that somebody
// has voted with, and one of another ballot.
func TestGuessing_Codes(t *testing.T) {
	w := start(t, tuning{})
	b, codes := w.byCode(2)
	_, foreign := w.byCode(1)
	w.byAPI(b.ID, codes[0], "1").want(t, http.StatusCreated)
	tried := map[string]string{"used": string(codes[0]), "another ballot's": string(foreign[0]), "nobody's": string(oponn.NewVotingCode()),
		"mistyped": strings.Repeat("0", 13) + "7", "short": "ABC", "empty": "", "long": strings.Repeat("A", 400)}
	answers := map[string]string{}
	for name, code := range tried {
		answers[name] = alike(w.byAPI(b.ID, oponn.VotingCode(code), "1"))
	}
	wantAlike(t, "by the API", answers)
	answers = map[string]string{}
	random := regexp.MustCompile(`name="vote_id" value="[^"]*"|name="code"[^>]*value="[^"]*"`)
	for name, code := range tried {
		if code == "" {
			continue // which is another mistake
		}
		r := w.do(request{method: http.MethodPost, path: b.path() + "/votes", header: head("Content-Type", "application/x-www-form-urlencoded"),
			body: reader(fields("choice", "1", "vote_id", "6a3f0a5e-5a0d-4c7b-9a70-0d8c7d4b8a11", "code", code).Encode())})
		r.body = random.ReplaceAllString(r.body, "")
		answers[name] = alike(r.want(t, http.StatusUnprocessableEntity), code)
	}
	wantAlike(t, "by form", answers)
}

func TestGuessing_Receipts(t *testing.T) {
	w := start(t, tuning{})
	b, foreign := w.ballot(teaOrCoffee()), w.ballot(teaOrCoffee())
	own, theirs := w.vote(b.ID, "1").Receipt, w.vote(foreign.ID, "1").Receipt
	for _, path := range []string{"/api/v1/ballots/" + b.ID + "/receipts/", b.path() + "/receipts/"} {
		answers := map[string]string{}
		for name, receipt := range map[string]string{"one letter off": other(own), "another ballot's": theirs, "the beginning": own[:40], "a long one": own + "A",
			"words": "qwxz-qwxz", "zeros": strings.Repeat("A", len(own)), "its end": "A" + own[1:], "very long": strings.Repeat("A", 4000)} {
			answers[name] = alike(w.get(path+receipt).want(t, http.StatusNotFound), receipt)
		}
		wantAlike(t, path, answers)
	}
}

// TestGuessing_Credentials forges what is signed.
func TestGuessing_Credentials(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	token := w.token()
	cookie := cookieOf(t, w.get(b.path()), "oponn_voter")
	forged := func(signed string) map[string]string {
		return map[string]string{"none": "", "one letter off": other(signed), "the beginning": signed[:20], "another kind": map[bool]string{true: cookie, false: token}[signed == token],
			"unsigned": strings.Repeat("A", len(signed)), "words": "qwxz-qwxz", "padded": signed + "=", "very long": strings.Repeat("A", 4000)}
	}
	answers := map[string]string{}
	for name, bearer := range forged(token) {
		r := w.cast(b.ID, bearer, oponn.NewVoteID(), choose("1"))
		wantProblem(t, r, http.StatusUnauthorized, "voter_required")
		answers[name] = alike(r)
	}
	wantAlike(t, "tokens", answers)
	answers = map[string]string{}
	for name, value := range forged(cookie) {
		r := w.do(request{method: http.MethodPost, path: b.path() + "/votes", body: reader("choice=1&vote_id=6a3f0a5e-5a0d-4c7b-9a70-0d8c7d4b8a11"),
			header: head("Content-Type", "application/x-www-form-urlencoded", "Cookie", "oponn_voter="+value)})
		answers[name] = alike(r.want(t, http.StatusUnauthorized))
	}
	wantAlike(t, "cookies", answers)
	if votes := w.results(b.ID).Votes; votes != 0 {
		t.Errorf("%d votes got through", votes)
	}
}

// TestGuessing_JoinCodes compares a code that nobody has with one that was a
// ballot's until that closed.
func TestGuessing_JoinCodes(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("join_code", true))
	digits := w.joining(b.ID)
	w.close(b)
	free := "123456"
	if free == digits {
		free = "654321"
	}
	answers := map[string]string{}
	for _, code := range []string{digits, free, "000000", "99999"} {
		answers[code] = alike(w.get("/join?code="+code).want(t, http.StatusNotFound), code)
	}
	wantAlike(t, "join codes", answers)
}
