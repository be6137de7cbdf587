package main_test

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The places where things may be known.
const (
	inDatabase = "the database"
	inRedis    = "Redis"
)

// TestCluster_TellsNobody has people do all that can be done, right and wrong,
// at two instances in which everything is marked: what they write, choose,
// hold, and where they come from. Then it looks for the marks in all that
// leaves a process: logs at the level debug, what operators can ask for,
// traces, answers to what was wrong, Redis (all that was said and all that is
// kept), and the database. DESIGN: ciphertext at rest and in transit between
// instances; no key leaves the memory.
func TestCluster_TellsNobody(t *testing.T) {
	c, collector := newCluster(t), collect(t)
	overheard := listenIn(t, c.redis)
	settings := collector.settings("OPONN_LOG_LEVEL=debug", "OPONN_RATE_LIMITS=on", "OPONN_TRUSTED_PROXIES=127.0.0.0/8")
	g := &gossip{T: t, c: c, a: c.serve(t, settings...), b: c.serve(t, settings...)}
	g.mark("the secret", c.secret)
	g.run()
	asked := g.askOperators()
	g.add(c.dataKeys(t)...)
	wantGoodEnd(t, g.a, g.b)

	traffic := append(withoutTimes(overheard()), keysOf(t, c.redis)...)
	logs := g.a.stdout.String() + g.a.stderr.String() + g.b.stdout.String() + g.b.stderr.String()
	places := map[string][]byte{
		inDatabase: c.dump(t), inRedis: traffic, "the logs": []byte(withoutDurations(logs)),
		"the traces": collector.raw.Bytes(), "what operators see": asked, "an answer to what was wrong": g.refusals.Bytes(),
	}
	// What has to be there, or nothing was looked at.
	id := uuidOf(t, g.ballot)
	for place, signs := range map[string][]string{
		inDatabase: {uuid(id)}, inRedis: {g.ballot}, "the logs": {`"msg":"request"`, `"route":"/api/v1/ballots/:id/votes"`, `"level":"DEBUG"`},
		"the traces": {votesRoute, "transaction"}, "what operators see": {"ready", "store: ok", "# HELP oponn_"},
		"an answer to what was wrong": {`"code":"malformed"`, `"code":"code_refused"`, `"code":"vote_id_reused"`, "<html"},
	} {
		for _, sign := range signs {
			if !bytes.Contains(places[place], []byte(sign)) {
				t.Errorf("%s, %d bytes: there is no %q", place, len(places[place]), sign)
			}
		}
	}
	for place, text := range places {
		for _, s := range g.secrets {
			if form := s.in(text); form != "" && !s.mayBeIn(place) {
				t.Errorf("%s: there is %s, as %s: …%s…", place, s.what, form, around(text, s.bytes))
			}
		}
		t.Logf("looked for %d secrets in %d bytes of %s", len(g.secrets), len(text), place)
	}
}

func (s secret) mayBeIn(place string) bool {
	for _, known := range s.known {
		if known == place {
			return true
		}
	}
	return false
}

// around returns what is around the first place where a text holds something.
func around(text, what []byte) []byte {
	at := max(bytes.Index(text, what), 0)
	return bytes.ToValidUTF8(text[max(0, at-100):min(len(text), at+100)], nil)
}

// Moments and durations have as many digits as join codes.
var (
	moments   = regexp.MustCompile(`(?m)^\+?\d+\.\d+ `)
	durations = regexp.MustCompile(`"(took|time|delay|again_in|away)":("[^"]*"|\d+)`)
)

func withoutTimes(traffic []byte) []byte      { return moments.ReplaceAll(traffic, nil) }
func withoutDurations(text string) (s string) { return durations.ReplaceAllString(text, "") }

// askOperators returns what the operators' listener says.
func (g *gossip) askOperators() []byte {
	g.Helper()
	var said bytes.Buffer
	for _, s := range []*server{g.a, g.b} {
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=1", "/debug/vars"} {
			for _, media := range []string{"*/*", "application/json"} {
				r, err := http.NewRequestWithContext(g.Context(), http.MethodGet, s.ops+path, nil)
				if err != nil {
					g.Fatal(err)
				}
				r.Header.Set("Accept", media)
				_, text, _ := g.send(r)
				said.WriteString(text)
			}
		}
	}
	return said.Bytes()
}

// TestSecret_In knows a secret in whatever form it is.
func TestSecret_In(t *testing.T) {
	id := secret{what: "an id", bytes: []byte("0123456789abcdef")}
	for form, text := range map[string]string{
		"it is": "x0123456789abcdefx", "hex": `\x30313233343536373839616263646566`, "a UUID": "30313233-3435-3637-3839-616263646566",
		"base64": "MDEyMzQ1Njc4OWFiY2RlZg==", "Go prints it": "[48 49 50 51 52 53 54 55 56 57]", "a stack shows it": "f({0x30, 0x31, 0x32, 0x33, 0x34, ...})",
	} {
		if got := id.in([]byte(text)); !strings.HasPrefix(got, form) { // base64 may be base64url
			t.Errorf("%q is taken for %q, want %q", text, got, form)
		}
	}
}
