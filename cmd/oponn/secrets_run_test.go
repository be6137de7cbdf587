package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/keys/kmstest"
)

// gossip is a run in which everything is marked, and what must not be heard of
// it.
type gossip struct {
	*testing.T
	c    *cluster
	a, b *server

	mu       sync.Mutex
	secrets  []secret
	refusals bytes.Buffer // answers to what was wrong, but for forms given back

	ballot, owner string // the first ballot
	cookies       map[string]string
}

func (g *gossip) add(secrets ...secret) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.secrets = append(g.secrets, secrets...)
}

// mark returns a text that must not be seen but in the places named.
func (g *gossip) mark(what, text string, known ...string) string {
	g.add(secret{what: what, bytes: []byte(text), known: known})
	return text
}

// Where everybody comes from: the proxy's word is believed.
const (
	markedAddress = "203.0.113.77"
	markedNetwork = "2001:db8:77:beef:"
)

// send sends a request with marks in all its headers, and notes what comes
// back: cookies, and what was wrong.
func (g *gossip) send(r *http.Request) (status int, text string, header http.Header) {
	g.Helper()
	marks := map[string]string{"X-Forwarded-For": markedAddress, "User-Agent": "Marked-agent", "Referer": "https://marked-referrer.example/", "X-Request-Id": "Marked-request",
		"X-Real-Ip": markedAddress, "Forwarded": "for=" + markedAddress}
	if len(g.secrets)%2 == 0 {
		marks["X-Forwarded-For"] = markedNetwork + "1:2:3:4"
	}
	for name, value := range marks {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	for name, value := range g.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := noRedirects.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		g.noteCookie(cookie)
	}
	return response.StatusCode, string(body), response.Header
}

// noRedirects is a client that shows where it is led.
var noRedirects = &http.Client{Timeout: client.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (g *gossip) noteCookie(cookie *http.Cookie) {
	if g.cookies == nil {
		g.cookies = make(map[string]string)
	}
	g.cookies[cookie.Name] = cookie.Value
	if len(cookie.Value) < 20 { // a language is no secret
		return
	}
	g.mark("the cookie "+cookie.Name, cookie.Value)
	payload, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	switch {
	case err != nil || strings.Contains(cookie.Name, "oponn_manager_"): // signs the ballot's id
	case strings.Contains(cookie.Name, "oponn_code_"):
		g.add(secret{what: "a code's voter", bytes: payload[16:32]})
	case len(payload) >= 16:
		g.add(secret{what: "the id in " + cookie.Name, bytes: payload[:16]})
	}
}

// ask sends a body to a path. What is answered to what was wrong is noted: no
// mark of the request may be in it.
func (g *gossip) ask(s *server, method, path, body string, headers ...string) (status int, text string) {
	g.Helper()
	status, text, _ = g.sendBody(s, method, path, body, headers...)
	if status >= http.StatusBadRequest {
		g.refusals.WriteString(wayBack.ReplaceAllString(text, "") + "\n")
	}
	return status, text
}

// wayBack is where a browser that chooses a language on a page goes back to:
// the address that it has just sent.
var wayBack = regexp.MustCompile(`name="back" value="[^"]*"`)

func (g *gossip) sendBody(s *server, method, path, body string, headers ...string) (status int, text string, header http.Header) {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return g.send(r)
}

// fill sends a form of a page. A form with what was wrong comes back to its
// sender with what was typed.
func (g *gossip) fill(s *server, path string, form url.Values) (status int, text string, header http.Header) {
	g.Helper()
	return g.sendBody(s, http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// want is the answer to a request that has to go well.
func (g *gossip) want(status int, into any) func(int, string) {
	g.Helper()
	return func(got int, text string) {
		g.Helper()
		if got != status {
			g.Fatalf("status %d, want %d: %s", got, status, text)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				g.Fatalf("%v: %s", err, text)
			}
		}
	}
}

// run does all there is to do.
func (g *gossip) run() {
	g.Helper()
	g.mark("an address", markedAddress)
	g.mark("a network", markedNetwork)
	for what, text := range map[string]string{"a browser": "Marked-agent", "a referrer": "marked-referrer"} {
		g.mark(what, text)
	}
	g.add(secret{what: "a choice", bytes: []byte(`"choices":[`)})
	near, far := g.openBallots()
	g.voteByAPI()
	g.voteByPage()
	g.voteByCode()
	g.manage()
	g.doWrong()
	g.breakThings()
	near.await(g.T, 2)
	far.await(g.T, 2)
	g.want(http.StatusNoContent, nil)(g.ask(g.b, http.MethodDelete, g.path(""), "", "Authorization", "Bearer "+g.owner))
	g.ask(g.a, http.MethodGet, g.path("/results"), "")
}

// path is one of the API about the first ballot.
func (g *gossip) path(rest string) string { return "/api/v1/ballots/" + g.ballot + rest }

// made is a ballot that was made by the API.
type made struct {
	ID       string
	OwnerKey string `json:"owner_key"`
	Join     string
}

func (g *gossip) create(name string, fields map[string]any) (b made) {
	g.Helper()
	draft := map[string]any{"question": g.mark("a question", name+"-question"), "options": []string{g.mark("an option", name+"-first"), g.mark("an option", name+"-second")}}
	for field, value := range fields {
		draft[field] = value
	}
	body, err := json.Marshal(draft)
	if err != nil {
		g.Fatal(err)
	}
	g.want(http.StatusCreated, &b)(g.ask(g.a, http.MethodPost, "/api/v1/ballots", string(body)))
	g.mark("an owner key", b.OwnerKey)
	return b
}

func (g *gossip) openBallots() (near, far *viewer) {
	g.Helper()
	b := g.create("Xanthippe", map[string]any{"allow_write_in": true, "allow_change": true, "join_code": true})
	g.ballot, g.owner = b.ID, b.OwnerKey
	near, far = startViewer(g.T, g.a, b.ID), startViewer(g.T, g.b, b.ID)
	near.await(g.T, 1)
	far.await(g.T, 1)
	g.want(http.StatusOK, &b)(g.ask(g.b, http.MethodGet, g.path(""), "", "Authorization", "Bearer "+g.owner))
	if len(b.Join) != 6 {
		g.Fatalf("the join code is %q", b.Join)
	}
	g.mark("a join code", b.Join, inDatabase)
	g.want(http.StatusSeeOther, nil)(g.ask(g.a, http.MethodGet, "/join?code="+b.Join, ""))
	return near, far
}

// cast casts a vote by the API and marks what goes and what comes.
func (g *gossip) cast(s *server, body string, token, id string) (status int, receipt string) {
	g.Helper()
	var answer struct{ Receipt string }
	status, text := g.ask(s, http.MethodPost, g.path("/votes"), body, "Authorization", "Bearer "+token, "Idempotency-Key", id)
	if status < 300 {
		g.want(status, &answer)(status, text)
		g.mark("a receipt", answer.Receipt)
	}
	return status, answer.Receipt
}

// voteID returns one that only the database may know.
func (g *gossip) voteID() string {
	id := domain.NewVoteID()
	g.mark("a vote id", id.String(), inDatabase)
	g.add(secret{what: "a vote id", bytes: id[:], known: []string{inDatabase}})
	return id.String()
}

func (g *gossip) voteByAPI() {
	g.Helper()
	tokens, ok := newTokens(g.a, 30)
	if !ok {
		g.Fatal("no voter tokens")
	}
	for i, token := range tokens {
		g.add(tokenSecrets(g.T, token)...)
		s := []*server{g.a, g.b}[i%2]
		id, body := g.voteID(), `{"choices":["1"]}`
		if i%10 == 9 {
			body = fmt.Sprintf(`{"write_in":%q}`, g.mark("a write-in", fmt.Sprintf("Quetzalcoatl-write-in-%d", i)))
		}
		status, receipt := g.cast(s, body, token, id)
		g.want(http.StatusCreated, nil)(status, receipt)
		if i%5 == 0 {
			g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, g.path("/receipts/"+receipt), ""))
			g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodGet, "/ballots/"+g.ballot+"/receipts/"+receipt, ""))
			again, _ := g.cast(g.b, body, token, id)
			g.want(http.StatusOK, nil)(again, "")
			again, _ = g.cast(g.b, `{"choices":["2"]}`, token, id)
			g.want(http.StatusConflict, nil)(again, "")
		}
	}
}

func (g *gossip) voteByPage() {
	g.Helper()
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodGet, "/new", ""))
	status, text, header := g.fill(g.a, "/ballots", url.Values{"question": {g.mark("a question", "Nefertiti-question")},
		"options": {g.mark("an option", "Osiris-first"), g.mark("an option", "Ptolemy-second")}})
	g.want(http.StatusSeeOther, nil)(status, text)
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodGet, header.Get("Location"), ""))
	page := "/ballots/" + g.ballot
	g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, page+"?write_in="+g.mark("a query", "Marked-query"), ""))
	form := url.Values{"choice": {"1"}, "write_in": {g.mark("a write-in", "Ramesses-write-in")}, "vote_id": {g.voteID()}}
	status, text, _ = g.fill(g.b, page+"/votes", form) // a choice too many: the form comes back
	g.want(http.StatusUnprocessableEntity, nil)(status, text)
	form.Del("choice")
	status, text, header = g.fill(g.b, page+"/votes", form)
	g.want(http.StatusSeeOther, nil)(status, text)
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodGet, header.Get("Location"), ""))
}

func (g *gossip) voteByCode() {
	g.Helper()
	b := g.create("Yggdrasil", map[string]any{"protection": "codes", "visibility": "after_voting", "allow_write_in": true, "write_ins": "moderated"})
	var made struct{ Codes []string }
	g.want(http.StatusCreated, &made)(g.ask(g.a, http.MethodPost, "/api/v1/ballots/"+b.ID+"/codes", `{"count":4}`, "Authorization", "Bearer "+b.OwnerKey))
	for _, code := range made.Codes {
		g.mark("a code", code)
		g.mark("a code without groups", strings.ReplaceAll(code, "-", ""))
		voter := domain.VotingCode(code).Voter()
		g.add(secret{what: "a code's voter", bytes: voter[:]})
	}
	votes := "/api/v1/ballots/" + b.ID + "/votes"
	vote := func(code string) (int, string) {
		return g.ask(g.b, http.MethodPost, votes, fmt.Sprintf(`{"code":%q,"write_in":%q}`, code, g.mark("a write-in", "Wotan-"+code)), "Idempotency-Key", g.voteID())
	}
	g.want(http.StatusCreated, nil)(vote(made.Codes[0]))
	g.want(http.StatusForbidden, nil)(vote(made.Codes[0]))
	g.want(http.StatusForbidden, nil)(vote(g.mark("a wrong code", string(domain.NewVotingCode()))))
	g.want(http.StatusForbidden, nil)(vote(g.mark("a code that is none", "MARKED-CODE")))
	link := "/ballots/" + b.ID + "/codes/" + domain.VotingCode(made.Codes[1]).Plain()
	g.want(http.StatusSeeOther, nil)(g.ask(g.a, http.MethodGet, link, ""))
	status, text, _ := g.fill(g.a, "/ballots/"+b.ID+"/votes", url.Values{"choice": {"2"}, "vote_id": {g.voteID()}})
	g.want(http.StatusSeeOther, nil)(status, text)
	status, text, _ = g.fill(g.b, "/ballots/"+b.ID+"/votes", url.Values{"choice": {"2"}, "vote_id": {g.voteID()}, "code": {made.Codes[2]}})
	g.want(http.StatusSeeOther, nil)(status, text)
	g.ask(g.a, http.MethodGet, "/ballots/"+b.ID+"/results", "")
	g.ask(g.a, http.MethodGet, "/api/v1/ballots/"+b.ID+"/results", "", "Authorization", "Bearer "+made.Codes[3])
}

func (g *gossip) manage() {
	g.Helper()
	page, owner := "/ballots/"+g.ballot, []string{"Authorization", "Bearer " + g.owner}
	status, text, _ := g.fill(g.a, page+"/manage", url.Values{"owner_key": {g.owner}})
	g.want(http.StatusSeeOther, nil)(status, text)
	g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, page+"/manage", ""))
	g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, page+"/present", ""))
	g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, page+"/embed", ""))
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodPatch, g.path(""), `{"status":"closed"}`, owner...))
	for _, file := range []string{"/results.csv", "/votes.csv", "/votes.json"} {
		g.want(http.StatusOK, nil)(g.ask(g.b, http.MethodGet, g.path(file), "", owner...))
	}
	for _, picture := range []string{"/bars.svg", "/pace.png", "/preview.png"} {
		g.ask(g.a, http.MethodGet, page+picture, "")
	}
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodPatch, g.path(""), `{"status":"open"}`, owner...))
	g.want(http.StatusOK, nil)(g.ask(g.a, http.MethodGet, "/", ""))
}

// doWrong does what is refused, in every way and marked.
func (g *gossip) doWrong() {
	g.Helper()
	stranger := domain.NewBallotID()
	g.mark("an id that nobody has", stranger.String())
	wrong := g.mark("what is wrong", "Marked-wrong")
	token := "Bearer " + wrong
	votes := g.path("/votes")
	for _, r := range [][]string{
		{http.MethodGet, "/" + wrong, ""}, {http.MethodGet, "/ballots/" + wrong, ""}, {http.MethodGet, "/api/v1/" + wrong, ""}, {http.MethodPost, "/" + wrong, `{}`},
		{http.MethodGet, "/ballots/" + stranger.String(), ""}, {http.MethodGet, "/api/v1/ballots/" + stranger.String() + "/results?" + wrong, ""},
		{http.MethodGet, "/new?from=" + wrong, ""}, {http.MethodGet, "/static/" + wrong, ""},
		{http.MethodGet, "/ballots/" + g.ballot + "/receipts/" + wrong, ""}, {http.MethodGet, g.path("/receipts/" + wrong), ""},
		{http.MethodGet, "/ballots/" + g.ballot + "/codes/" + wrong, ""}, {http.MethodGet, "/ballots/" + g.ballot + "/" + wrong, ""},
		{http.MethodPost, "/api/v1/ballots", `{"question":"Marked-wrong`}, {http.MethodPost, "/api/v1/ballots", `{"question":["Marked-wrong"],"options":"Marked-wrong"}`},
		{http.MethodPost, "/api/v1/ballots", `{"question":"Marked-wrong","options":["Marked-wrong","Marked-wrong"]}`},
		{http.MethodPost, "/api/v1/ballots", `["Marked-wrong"]`}, {http.MethodPost, "/api/v1/ballots", "\xff\xfeMarked-wrong"},
		{http.MethodPost, "/api/v1/ballots", strings.Repeat(`{"question":`, 1000) + `"Marked-wrong"`}, {http.MethodPost, "/api/v1/ballots", `"` + strings.Repeat("Marked-wrong", 30_000) + `"`},
		{http.MethodPost, "/api/v1/ballots", "<Marked-wrong/>", "Content-Type", "application/xml"}, {http.MethodPost, "/api/v1/ballots", "Marked-wrong", "Content-Encoding", "gzip"},
		{http.MethodPost, votes, `{"choices":["Marked-wrong"]}`, "Authorization", token, "Idempotency-Key", wrong},
		{http.MethodPost, votes, `{"choices":["Marked-wrong"]}`}, {http.MethodPost, votes, `{"code":"Marked-wrong","choices":["1"]}`, "Idempotency-Key", domain.NewVoteID().String()},
		{http.MethodPatch, g.path(""), `{"status":"Marked-wrong"}`, "Authorization", token}, {http.MethodDelete, g.path(""), "", "Authorization", token},
		{http.MethodPatch, g.path(""), `{"status":"Marked-wrong"}`, "Authorization", "Bearer " + g.owner}, {http.MethodPatch, g.path("/options/" + wrong), `{"hidden":true}`, "Authorization", "Bearer " + g.owner},
		{http.MethodGet, g.path("/votes.csv"), "", "Authorization", token}, {http.MethodPost, g.path("/codes"), `{"count":1}`, "Authorization", token},
		{http.MethodGet, g.path("/results"), "", "If-None-Match", wrong}, {http.MethodGet, g.path("/results?after=" + wrong), ""},
		{http.MethodPost, "/ballots", "question=" + wrong, "Sec-Fetch-Site", "cross-site", "Origin", "https://" + wrong + ".example"},
		{http.MethodGet, "/", "", "Host", "marked-wrong.example"}, {"MARKEDWRONG", "/ballots/" + wrong, ""}, {http.MethodTrace, "/ballots/" + wrong, ""}, {http.MethodPut, "/ballots/" + wrong, wrong},
		{http.MethodPost, "/ballots/" + g.ballot + "/votes", "choice=%zz" + wrong, "Content-Type", "application/x-www-form-urlencoded"},
		{http.MethodGet, "/ballots/" + g.ballot, "", "Cookie", "oponn_voter=" + wrong + "; oponn_owner=" + wrong},
	} {
		for _, s := range []*server{g.a, g.b} {
			g.ask(s, r[0], r[1], r[2], r[3:]...)
		}
	}
	g.sendBody(g.a, http.MethodGet, "/join?code="+wrong, "") // a form that comes back
	g.mark("a host that isn't served", "marked-wrong.example")
	g.mark("a method that isn't one", "MARKEDWRONG")
	for _, text := range []string{"GET /Marked-wrong HTTP/9.9\r\n\r\n", "Marked-wrong\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nMarked-wrong: " + strings.Repeat("x", 70_000) + "\r\n\r\n", "GET /%zzMarked-wrong HTTP/1.1\r\nHost: x\r\n\r\n"} {
		g.refusals.WriteString(g.raw(text))
	}
}

// raw sends what is no request, and returns the answer.
func (g *gossip) raw(text string) string {
	g.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(g.a.url, "http://"))
	if err != nil {
		g.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, text)
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	answer, _ := io.ReadAll(connection)
	return string(answer)
}

// breakThings has what the instances stand on fail.
func (g *gossip) breakThings() {
	g.Helper()
	for _, fault := range []kmstest.Fault{kmstest.Down, kmstest.Throttled, kmstest.Denied} {
		g.c.kms.Fail(fault)
		status, _ := g.ask(g.a, http.MethodPost, "/api/v1/ballots", `{"question":"Marked-wrong","options":["a","b"]}`)
		if status != http.StatusServiceUnavailable {
			g.Errorf("without the KMS: status %d", status)
		}
		g.c.kms.Heal()
	}
	tokens, ok := newTokens(g.a, 10)
	if !ok {
		g.Fatal("no voter tokens")
	}
	for _, token := range tokens {
		g.add(tokenSecrets(g.T, token)...)
		id := g.voteID()
		g.c.query(g.T, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", func(pgx.Rows) error { return nil })
		eventually(g.T, "a vote is cast when the database is back", func() bool {
			status, _ := g.cast(g.b, `{"choices":["2"]}`, token, id)
			return status == http.StatusCreated || status == http.StatusOK
		})
	}
}
