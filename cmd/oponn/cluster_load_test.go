package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// reply is an answer of the API. The status is 0 when there was none.
type reply struct {
	status     int
	retryAfter string
	Code       string
	Receipt    string
	Version    uint64
}

func (r reply) String() string {
	switch {
	case r.status == 0:
		return "no answer"
	case r.Code != "":
		return strconv.Itoa(r.status) + " " + r.Code
	default:
		return strconv.Itoa(r.status)
	}
}

func (r reply) acknowledged() bool {
	return r.status == http.StatusCreated || r.status == http.StatusOK
}

// later says whether a client should send the same again.
func (r reply) later() bool { return r.status == 0 || r.status == http.StatusServiceUnavailable }

// ask sends a request with JSON, if any, and reads what is in the answer.
func ask(method, url string, header http.Header, body any) reply {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, content)
	if err != nil {
		panic(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}
	}
	defer response.Body.Close()
	r := reply{retryAfter: response.Header.Get("Retry-After")}
	text, err := io.ReadAll(response.Body)
	if err != nil || len(text) > 0 && json.Unmarshal(text, &r) != nil {
		return reply{} // half an answer is none
	}
	r.status = response.StatusCode
	return r
}

// cast sends a vote once.
func (v *vote) cast(s *server) reply { return v.castBy(s, http.Header{}) }

// castBy sends a vote once, with something else in the request's head.
func (v *vote) castBy(s *server, header http.Header) reply {
	header.Set("Authorization", "Bearer "+v.token)
	header.Set("Idempotency-Key", v.id)
	return ask(http.MethodPost, s.url+"/api/v1/ballots/"+v.ballot+"/votes", header, v.body)
}

// load is voters who don't give up: what gets no answer, or is told to come
// later, they send again with the same vote id, to the next instance.
type load struct {
	ballots []string
	// route says whom a voter asks in an attempt.
	route func(voter, attempt int) *server

	ending chan struct{}
	voting sync.WaitGroup

	mu           sync.Mutex
	votes        []*vote
	again        []*vote // sent more than once
	acknowledged int
	answers      map[string]int
	hasty        int // 503 without Retry-After
	slowest      []time.Duration
}

const voters = 8

// spread asks the instances in turn.
func spread(instances ...*server) func(voter, attempt int) *server {
	return func(voter, attempt int) *server { return instances[(voter+attempt)%len(instances)] }
}

// startLoad has voters vote on the ballots until the load is ended.
func startLoad(t *testing.T, route func(voter, attempt int) *server, ballots ...string) *load {
	l := &load{ballots: ballots, route: route, ending: make(chan struct{}), answers: map[string]int{}, slowest: make([]time.Duration, voters)}
	for voter := range voters {
		l.voting.Go(func() { l.vote(voter) })
	}
	t.Cleanup(l.end)
	return l
}

// end has every voter finish with the vote at hand.
func (l *load) end() {
	l.mu.Lock()
	if !l.ended() {
		close(l.ending)
	}
	l.mu.Unlock()
	l.voting.Wait()
}

func (l *load) ended() bool {
	select {
	case <-l.ending:
		return true
	default:
		return false
	}
}

func (l *load) vote(voter int) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for attempt := 0; !l.ended(); attempt++ {
		tokens, _ := newTokens(l.route(voter, attempt), 100)
		for i, token := range tokens {
			if l.ended() {
				return
			}
			l.insist(voter, newVote(l.ballots[(voter+i)%len(l.ballots)], token, strconv.Itoa(i%2+1)))
			<-pace.C
		}
		<-pace.C
	}
}

// insist sends a vote until it is acknowledged or refused for good.
func (l *load) insist(voter int, v *vote) {
	begin := time.Now()
	l.mu.Lock()
	l.votes = append(l.votes, v)
	l.mu.Unlock()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for attempt := 0; time.Since(begin) < soon; attempt++ {
		header := http.Header{}
		if voter/2%2 == 0 { // comes by a connection of its own, as most voters do
			header.Set("Connection", "close")
		}
		r := v.castBy(l.route(voter, attempt), header)
		if l.note(v, r, attempt); !r.later() {
			break
		}
		<-pause.C
	}
	l.mu.Lock()
	l.slowest[voter] = max(l.slowest[voter], time.Since(begin))
	l.mu.Unlock()
}

func (l *load) note(v *vote, r reply, attempt int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[r.String()]++
	if attempt == 1 {
		l.again = append(l.again, v)
	}
	if r.status == http.StatusServiceUnavailable && r.retryAfter == "" {
		l.hasty++
	}
	if r.acknowledged() {
		v.receipt = r.Receipt
		l.acknowledged++
	}
}

// count returns how many votes were acknowledged so far.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged
}

// got returns how many answers of a kind came so far.
func (l *load) got(answer string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[answer]
}

// more waits for as many more votes to be acknowledged.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	want := l.count() + n
	eventually(t, fmt.Sprintf("%d more votes", n), func() bool { return l.count() >= want })
}

// wantAllCounted ends the load and wants each acknowledged vote counted, once,
// and none that nobody cast.
func (l *load) wantAllCounted(t *testing.T, c *cluster, s *server) {
	t.Helper()
	l.end()
	sent, rows, doubled, lost := map[string]*vote{}, map[string]int{}, 0, 0
	for _, v := range l.votes {
		sent[v.id] = v
	}
	for _, ballot := range l.ballots {
		n := 0
		c.query(t, "select vote_id::text, count(*) over (partition by tag) from votes where ballot = $1", func(row pgx.Rows) error {
			var id string
			var ofVoter int
			err := row.Scan(&id, &ofVoter)
			if v := sent[id]; v == nil || v.ballot != ballot {
				t.Errorf("a vote %s that nobody cast", id)
			}
			n++
			if rows[id]++; rows[id] > 1 || ofVoter > 1 {
				doubled++
			}
			return err
		}, uuidOf(t, ballot))
		eventually(t, "a result with all votes", func() bool {
			votes, counted := results(t, s, ballot)
			if votes > n || counted > n {
				t.Fatalf("%d votes and a sum of %d of %d rows", votes, counted, n)
			}
			return votes == n && counted == n
		})
	}
	for _, v := range l.votes {
		if v.receipt != "" && rows[v.id] == 0 {
			lost++
		}
	}
	t.Logf("%d votes sent, %d of them more than once; %d acknowledged, %d lost, %d doubled; %d rows; answers %v; the slowest took %v",
		len(l.votes), len(l.again), l.acknowledged, lost, doubled, len(rows), l.answers, l.slowestOf(nil).Round(time.Millisecond))
	if lost+doubled > 0 || l.acknowledged != len(l.votes) || len(rows) != len(l.votes) {
		t.Errorf("%d sent, %d acknowledged, %d rows, %d lost, %d doubled", len(l.votes), l.acknowledged, len(rows), lost, doubled)
	}
	l.wantAnswers(t)
	l.wantReceipts(t, s)
	c.mustVerify(t)
}

// wantAnswers wants none but those that a voter can go on with.
func (l *load) wantAnswers(t *testing.T) {
	t.Helper()
	allowed := map[string]bool{"201": true, "200": true, "no answer": true, "503 busy": true, "503 store_unavailable": true,
		"503 outcome_unknown": true, "503 draining": true, "503 keys_unavailable": true}
	for answer, times := range l.answers {
		if !allowed[answer] {
			t.Errorf("%d times %s", times, answer)
		}
	}
	if l.hasty > 0 {
		t.Errorf("%d times 503 without Retry-After", l.hasty)
	}
}

// wantReceipts sends votes again, all that had to be sent more than once
// before, and wants their receipts.
func (l *load) wantReceipts(t *testing.T, s *server) {
	t.Helper()
	for _, v := range append(l.again[:min(len(l.again), 200)], l.votes[:min(len(l.votes), 50)]...) {
		if r := v.cast(s); r.status != http.StatusOK || r.Receipt != v.receipt {
			t.Fatalf("sent again, the vote with receipt %q got %s and receipt %q", v.receipt, r, r.Receipt)
		}
	}
}

// slowestOf returns the longest that one of the voters waited, with all
// attempts; nil for all.
func (l *load) slowestOf(these func(voter int) bool) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for voter, took := range l.slowest {
		if these == nil || these(voter) {
			longest = max(longest, took)
		}
	}
	return longest
}
