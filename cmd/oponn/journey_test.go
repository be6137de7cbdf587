package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/http/browsertest"
)

// TestJourneys tries every rule end to end, in a real browser and over the API:
// on SQLite, and on Postgres with two instances, of which people act on one and
// watch on the other.
func TestJourneys(t *testing.T) {
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	t.Run("SQLite", func(t *testing.T) {
		s := serve(t, filepath.Join(t.TempDir(), "data"))
		goThrough(t, chromium, s, s)
		s.stop(t)
	})
	t.Run("Postgres and two instances", func(t *testing.T) {
		c := newCluster(t)
		here, there := c.serve(t), c.serve(t)
		goThrough(t, chromium, here, there)
		c.mustVerify(t)
		wantGoodEnd(t, here, there)
	})
}

// journeys are the rules by name.
var journeys = []struct {
	name string
	try  func(*journey)
}{
	{"one vote per browser", (*journey).oncePerBrowser},
	{"several choices", (*journey).severalChoices},
	{"write-ins are merged", (*journey).writeInsMerge},
	{"write-ins wait for approval", (*journey).writeInsWait},
	{"a vote is changed", (*journey).voteIsChanged},
	{"a result for those who have voted", (*journey).resultAfterVoting},
	{"a result after closing", (*journey).resultAfterClosing},
	{"opening, closing, and opening again", (*journey).openingAndClosing},
	{"an edited question", (*journey).editedQuestion},
	{"fifty options in an order of one's own", (*journey).fiftyOptions},
	{"without scripts", (*journey).withoutScripts},
	{"wrong input beside its field", (*journey).wrongInput},
	{"times in everybody's own zone", (*journey).ownZones},
}

func goThrough(t *testing.T, chromium *browsertest.Browser, here, there *server) {
	for _, j := range journeys {
		t.Run(j.name, func(t *testing.T) {
			j.try(&journey{T: t, chromium: chromium, here: here, there: there})
		})
	}
}

// journey is one test with what it needs: things are done here and watched
// there.
type journey struct {
	*testing.T
	chromium    *browsertest.Browser
	here, there *server
}

// rules are fields of a ballot.
type rules map[string]any

// ballot is one that a journey is about.
type ballot struct {
	*journey
	id, ownerKey string
}

// ballot makes a ballot here.
func (j *journey) ballot(with rules) *ballot {
	j.Helper()
	draft := rules{"question": "Tea or coffee?", "options": []string{"tea", "coffee"}}
	for name, value := range with {
		draft[name] = value
	}
	var made struct {
		ID       string
		OwnerKey string `json:"owner_key"`
	}
	text := wantStatus(j.T, http.StatusCreated)(api(j.T, j.here, http.MethodPost, "", "", draft))
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		j.Fatal(err)
	}
	return &ballot{journey: j, id: made.ID, ownerKey: made.OwnerKey}
}

// change changes the ballot as its owner, here.
func (b *ballot) change(path string, fields rules) {
	b.Helper()
	wantStatus(b.T, http.StatusOK)(api(b.T, b.here, http.MethodPatch, "/"+b.id+path, b.ownerKey, fields))
}

// voter is one of the API.
type voter struct{ *vote }

// voter is somebody new, with a vote.
func (b *ballot) voter(fields rules) voter {
	b.Helper()
	tokens, ok := newTokens(b.here, 1)
	if !ok {
		b.Fatal("no voter tokens")
	}
	return voter{&vote{ballot: b.id, token: tokens[0], id: domain.NewVoteID().String(), body: fields}}
}

// cast casts a vote at an instance and wants the status.
func (b *ballot) cast(v voter, s *server, want int) (receipt string) {
	b.Helper()
	status, receipt := v.send(s)
	if status != want {
		b.Fatalf("the vote %v: status %d, want %d", v.body, status, want)
	}
	return receipt
}

// wants waits until an instance shows the counts: one that nobody watches the
// ballot on may be a second behind.
func (b *ballot) wants(s *server, counts map[string]uint64) {
	b.Helper()
	eventually(b.T, fmt.Sprint(counts), func() bool {
		return maps.Equal(counts, countsIn(b.T, wantStatus(b.T, http.StatusOK)(api(b.T, s, http.MethodGet, "/"+b.id+"/results", "", nil))))
	})
}

// countsIn are the options' votes by their labels.
func countsIn(t *testing.T, text string) map[string]uint64 {
	t.Helper()
	var tally struct {
		Options []struct {
			Label string
			Votes uint64
		}
	}
	if err := json.Unmarshal([]byte(text), &tally); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	counts := make(map[string]uint64)
	for _, option := range tally.Options {
		counts[option.Label] = option.Votes
	}
	return counts
}

// follower reads the API's stream of a ballot.
type follower struct {
	t      *testing.T
	events chan string // "tally {…}"
}

// follow opens a stream that outlasts closing, there.
func (b *ballot) follow(bearer string) *follower {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	b.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.there.url+"/api/v1/ballots/"+b.id+"/live?until=gone", nil)
	if err != nil {
		b.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("the stream answers %v: %v", response, err)
	}
	f := &follower{t: b.T, events: make(chan string, 100)}
	go func() {
		defer response.Body.Close()
		defer close(f.events)
		name := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				name = value
			case "data":
				f.events <- name + " " + value
			}
		}
	}()
	return f
}

// await returns the first event that says all of the parts.
func (f *follower) await(parts ...string) string {
	f.t.Helper()
	last := ""
	for event := range f.events {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(event, part)
		}
		if all {
			return event
		}
		last = event
	}
	f.t.Fatalf("no event says %q; the last one was %s", parts, last)
	return ""
}

// writeInsMerge has voters write the same in different ways.
func (j *journey) writeInsMerge() {
	b := j.ballot(rules{"allow_write_in": true})
	watching := b.follow("")
	for i, text := range []string{"Café  au lait", " cafe\u0301 au LAIT ", "ｃａｆé au lait", "TEA"} {
		at := []*server{j.here, j.there}[i%2]
		b.cast(b.voter(rules{"write_in": text}), at, http.StatusCreated)
	}
	got := countsIn(j.T, strings.TrimPrefix(watching.await("tally ", `"votes":4,`), "tally "))
	if len(got) != 3 || got["Café au lait"]+got["Café  au lait"] != 3 || got["tea"] != 1 {
		j.Errorf("written in four ways became %v", got)
	}
}

// voteIsChanged changes a vote by turns at two instances.
func (j *journey) voteIsChanged() {
	b := j.ballot(rules{"allow_change": true})
	watching := b.follow("")
	first := b.voter(rules{"choices": []string{"1"}})
	receipt := b.cast(first, j.here, http.StatusCreated)
	second := voter{&vote{ballot: b.id, token: first.token, id: domain.NewVoteID().String(), body: rules{"choices": []string{"2"}}}}
	b.cast(second, j.there, http.StatusOK)
	watching.await("tally ", `"votes":1,`, `"label":"coffee","votes":1`)
	if again := b.cast(first, j.there, http.StatusOK); again != receipt {
		j.Errorf("the first vote, repeated, has the receipt %s, not %s", again, receipt)
	}
	b.wants(j.here, map[string]uint64{"tea": 0, "coffee": 1})
	if text := wantStatus(j.T, http.StatusOK)(api(j.T, j.there, http.MethodGet, "/"+b.id+"/receipts/"+receipt, "", nil)); !strings.Contains(text, `"replaced":true`) {
		j.Errorf("the first receipt says %s", text)
	}

	// On the page: Back, another choice, and the page asks.
	ben := j.visitor(phone, browsertest.NoScript())
	ben.open(j.here, b.id, "")
	ben.choose("tea")
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	ben.must(ben.Back())
	ben.sees("cast_vote")
	ben.must(ben.AwaitTrue(`!!document.querySelector('#vote')`))
	ben.choose("coffee")
	ben.press("cast_vote")
	ben.sees("You have voted already")
	ben.press("cast_vote")
	ben.sees("in place of the one before")
	b.wants(j.there, map[string]uint64{"tea": 0, "coffee": 2})
}

// resultAfterVoting hides the result from those who have not voted.
func (j *journey) resultAfterVoting() {
	b := j.ballot(rules{"visibility": "after_voting"})
	watching := b.follow("")
	v := b.voter(rules{"choices": []string{"1"}})
	b.cast(v, j.here, http.StatusCreated)
	wantStatus(j.T, http.StatusForbidden)(api(j.T, j.there, http.MethodGet, "/"+b.id+"/results", "", nil))
	b.follow(v.token).await("tally ", `"votes":1,`)

	anna := j.visitor(wide)
	anna.open(j.there, b.id, "/results")
	anna.sees("The result is shown to those who have voted.")
	anna.sees("You have not voted yet")
	anna.open(j.here, b.id, "")
	anna.choose("coffee")
	anna.press("cast_vote")
	anna.sees("2 votes")
	anna.open(j.there, b.id, "/results")
	anna.sees("2 votes")
	b.change("", rules{"status": "closed"})
	if told := watching.await(`"status":"closed"`); strings.Contains(told, "votes") {
		j.Errorf("a hidden stream told %s", told)
	}
	anna.sees("final result")
}

// resultAfterClosing shows it to all in the moment of closing.
func (j *journey) resultAfterClosing() {
	b := j.ballot(rules{"visibility": "after_closing"})
	watching := b.follow("")
	anna := j.visitor(wide)
	anna.open(j.there, b.id, "/results")
	anna.sees("once the ballot is closed")
	for range 2 {
		b.cast(b.voter(rules{"choices": []string{"1"}}), j.here, http.StatusCreated)
	}
	b.change("", rules{"status": "closed"})
	watching.await("tally ", `"votes":2,"status":"closed"`)
	anna.sees("final result")
	anna.sees("wins")
}
