package main_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// setLevel changes what an instance logs, as operators do.
func (s *server) setLevel(t *testing.T, level string) {
	t.Helper()
	if r := ask(http.MethodPost, s.ops+"/log?level="+level, nil, nil); r.status != 0 && r.status != http.StatusOK {
		t.Fatalf("the level %s got %s", level, r)
	}
	if _, body := fetch(t, s.ops+"/log"); !strings.EqualFold(strings.TrimSpace(body), level) {
		t.Fatalf("the level is %q, want %s", body, level)
	}
}

// TestCluster_LogsHoldNoSecrets has an instance log all details while visitors
// with secrets do all kinds of things, also without a database, and looks for
// them in its log.
func TestCluster_LogsHoldNoSecrets(t *testing.T) {
	c := newCluster(t)
	postgres := pgtest.NewServer(t)
	c.database = postgres.URL()
	s := c.serve(t, "OPONN_TRUSTED_PROXIES=127.0.0.0/8", "OPONN_VOTER_TOKENS=on")
	s.setLevel(t, "debug")
	secrets := map[string]string{"question": "Xanthippe-question", "option": "Ypsilanti-option", "write-in": "Quetzalcoatl-write-in",
		"query": "Querulous-query", "path": "Pathological-path", "agent": "Agamemnon-agent", "referer": "Reykjavik-referer",
		"address": "198.51.100.77", "malformed": "Malformed-body"}
	head := func() http.Header {
		return http.Header{"X-Forwarded-For": {secrets["address"]}, "User-Agent": {secrets["agent"]}, "Referer": {"https://" + secrets["referer"] + ".example/"},
			"X-Request-Id": {"from-the-proxy-1"}}
	}
	made := func(protection string) (id, owner string) {
		var created struct {
			ID       string
			OwnerKey string `json:"owner_key"`
		}
		body := map[string]any{"question": secrets["question"], "options": []string{secrets["option"], "no"}, "allow_write_in": true, "protection": protection}
		if status := post(s.url+"/api/v1/ballots", head(), body, &created); status != http.StatusCreated {
			t.Fatalf("create: status %d", status)
		}
		return created.ID, created.OwnerKey
	}
	ballot, _ := made("browser")
	coded, owner := made("codes")
	secrets["owner key"] = owner
	var codes struct{ Codes []string }
	if status := post(s.url+"/api/v1/ballots/"+coded+"/codes", http.Header{"Authorization": {"Bearer " + owner}}, map[string]int{"count": 1}, &codes); status != http.StatusCreated {
		t.Fatalf("codes: status %d", status)
	}
	secrets["code"] = codes.Codes[0]
	tokens, ok := newTokens(s, 1)
	if !ok {
		t.Fatal("no token")
	}
	secrets["token"] = tokens[0]
	voting := newVote(ballot, tokens[0], "")
	voting.body = map[string]any{"write_in": secrets["write-in"]}
	secrets["vote id"] = voting.id

	everything := func() {
		b := &browser{client: *client, cookies: map[string]string{}}
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.visit(t, s, ballot)
		for name, value := range b.cookies {
			secrets["cookie "+name] = value
		}
		b.vote(t, s, ballot, "1")
		b.do(t, http.MethodPost, s.url+"/ballots/"+ballot+"/votes?"+secrets["query"]+"=1", url.Values{"write_in": {secrets["write-in"]}, "vote_id": {domain.NewVoteID().String()}})
		voting.castBy(s, head())
		for _, path := range []string{"/?" + secrets["query"], "/ballots/" + ballot + "/results?after=1&q=" + secrets["query"], "/" + secrets["path"],
			"/ballots/" + secrets["path"], "/api/v1/ballots/" + ballot + "?token=" + secrets["token"], "/ballots/" + coded + "/codes/" + secrets["code"]} {
			ask(http.MethodGet, s.url+path, head(), nil)
		}
		ask(http.MethodPost, s.url+"/api/v1/ballots", head(), secrets["malformed"])
		ask("BREW", s.url+"/ballots/"+ballot, head(), nil)
		post(s.url+"/api/v1/ballots/"+coded+"/votes", head(), map[string]any{"choices": []string{"1"}, "code": secrets["code"]}, nil)
	}
	everything()
	postgres.Crash(t)
	everything()
	wantReady(t, s, http.StatusServiceUnavailable, "unready")
	postgres.Start(t)
	wantReady(t, s, http.StatusOK, "ready")
	s.setLevel(t, "warn")
	wantGoodEnd(t, s)

	text, fromProxy, debug := s.stderr.String(), 0, 0
	for line := range strings.Lines(text) {
		var entry struct{ Level, Request string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if entry.Request == "from-the-proxy-1" {
			fromProxy++
		}
		if entry.Level == "DEBUG" {
			debug++
		}
		for what, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("the %s is in the log: %s", what, line)
			}
		}
	}
	if fromProxy < 10 || debug < 20 {
		t.Errorf("%d lines have the proxy's request id and %d are details: was anything logged?", fromProxy, debug)
	}
}

func TestServe_ASignalSwitchesDetailsOnAndOff(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	for _, want := range []string{"DEBUG", "INFO", "DEBUG"} {
		s.signal(t, syscall.SIGUSR1)
		eventually(t, "the level "+want, func() bool {
			_, body := fetch(t, s.ops+"/log")
			return strings.TrimSpace(body) == want
		})
	}
	s.stop(t)
}
