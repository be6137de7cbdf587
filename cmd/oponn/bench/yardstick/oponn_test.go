package yardstick

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// service is one Oponn, or several of one, with a ballot.
type service struct {
	addr   string
	ballot string
	tokens []string
	client *http.Client
}

// startOponn starts the real server, with SQLite in a directory of its own
// unless the settings say otherwise.
func startOponn(b testing.TB, settings ...string) (*process, string) {
	b.Helper()
	file, err := buildOponn()
	if err != nil {
		b.Fatal(err)
	}
	addr, ops := freePort(b), freePort(b)
	env := append([]string{"OPONN_ADDR=" + addr, "OPONN_OPS_ADDR=" + ops, "OPONN_DATA_DIR=" + b.TempDir() + "/data",
		"OPONN_RATE_LIMITS=off", "OPONN_VOTER_TOKENS=on", "OPONN_LOG_LEVEL=warn"}, settings...)
	p := launch(b, env, file, "serve")
	p.ops = ops
	await(b, "http://"+addr+"/")
	return p, addr
}

// transactions returns how long those that a server has made took together, in
// ms, and how many there were.
func (p *process) transactions(b testing.TB) (took, count float64) {
	b.Helper()
	for line := range strings.Lines(string(get(b, "http://"+p.ops+"/metrics"))) {
		_, _ = fmt.Sscanf(line, "oponn_writer_transaction_seconds_sum %g", &took)
		_, _ = fmt.Sscanf(line, "oponn_writer_transaction_seconds_count %g", &count)
	}
	if count == 0 {
		b.Fatal("no transactions are counted")
	}
	return took * 1e3, count
}

// newService makes a ballot, whose frame has about a thousand bytes, and
// tokens for that many votes.
func newService(b testing.TB, addr string, votes int) *service {
	b.Helper()
	s := &service{addr: addr, client: &http.Client{Timeout: patience}}
	var created struct{ ID string }
	s.post(b, "/api/v1/ballots", map[string]any{"question": "Which one?", "options": options()}, &created)
	s.ballot = created.ID
	for len(s.tokens) < votes {
		var voters struct{ Tokens []string }
		s.post(b, "/api/v1/voters", map[string]int{"count": min(1000, votes-len(s.tokens))}, &voters)
		s.tokens = append(s.tokens, voters.Tokens...)
	}
	return s
}

// options are so many and long that a frame of theirs has about 1 KB.
func options() []string {
	options := make([]string, 7)
	for i := range options {
		options[i] = fmt.Sprintf("option %d, %sand more", i, strings.Repeat("as long as it takes ", 4))
	}
	return options
}

func (s *service) post(b testing.TB, path string, body, answer any, headers ...string) {
	b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+s.addr+path, bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := s.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		b.Fatalf("%s answers %d: %s %v", path, response.StatusCode, said, err)
	}
	if err := json.Unmarshal(said, answer); err != nil {
		b.Fatal(err)
	}
}

// watchPath is where programs watch.
func (s *service) watchPath() string { return "/api/v1/ballots/" + s.ballot + "/live" }

// vote casts a vote and returns the version that holds it.
func (s *service) vote(b testing.TB) uint64 {
	b.Helper()
	token := s.tokens[0]
	s.tokens = s.tokens[1:]
	var id [16]byte
	_, _ = rand.Read(id[:])
	var receipt struct{ Version uint64 }
	s.post(b, "/api/v1/ballots/"+s.ballot+"/votes", map[string][]string{"choices": {"1"}}, &receipt,
		"Authorization", "Bearer "+token, "Idempotency-Key", uuid(id))
	return receipt.Version
}

// uuid writes random bytes as a UUID of version 4.
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// frameSize returns the bytes of a frame as viewers get it.
func (s *service) frameSize(b testing.TB) int {
	b.Helper()
	body := get(b, "http://"+s.addr+"/api/v1/ballots/"+s.ballot+"/results")
	return len("event: tally\nid: 100\ndata: \n\n") + len(body)
}

// get returns what is at an address.
func get(b testing.TB, url string) []byte {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d %s %v", url, response.StatusCode, body, err)
	}
	return body
}
