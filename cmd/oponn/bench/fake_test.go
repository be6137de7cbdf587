package bench_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// lie is what a fake server does wrong.
type lie struct {
	loseEvery, doubleEvery int  // acknowledged votes
	swap                   bool // votes on the first option count for the second
	backward               bool // in streams, now and then
	stall                  bool // streams never get the last version
	silent                 int  // every so many votes are counted and not answered
}

// fake speaks as much of Oponn's API as a load test needs.
type fake struct {
	lie lie

	mu      sync.Mutex
	n       int
	votes   map[string]uint64 // versions by vote id
	options [4]int
	version uint64
	moved   chan struct{}
}

func newFake(t *testing.T, l lie) (target string) {
	t.Helper()
	s := unstartedFake(l)
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s.URL
}

func unstartedFake(l lie) *httptest.Server {
	f := &fake{lie: l, version: 1, votes: map[string]uint64{}, moved: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/ballots", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"fake","owner_key":"k","url":"","options":[{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"}]}`)
	})
	mux.HandleFunc("POST /api/v1/voters", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string][]string{"tokens": make([]string, 1000)})
	})
	mux.HandleFunc("POST /api/v1/ballots/fake/votes", f.cast)
	mux.HandleFunc("GET /api/v1/ballots/fake/results", f.results)
	mux.HandleFunc("GET /api/v1/ballots/fake/live", f.live)
	return httptest.NewUnstartedServer(mux)
}

func (f *fake) cast(w http.ResponseWriter, r *http.Request) {
	var vote struct{ Choices []string }
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &vote); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	option, _ := strconv.Atoi(vote.Choices[0])
	version, answer := f.count(r.Header.Get("Idempotency-Key"), option-1)
	if !answer {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"vote_id":"v","receipt":"r","version":%d,"at":null}`, version)
}

// count counts a vote, or lies.
func (f *fake) count(id string, option int) (version uint64, answer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if version, ok := f.votes[id]; ok {
		return version, true
	}
	every := func(n int) bool { return n > 0 && f.n%n == 0 }
	f.n++
	f.version++
	f.votes[id] = f.version
	switch {
	case every(f.lie.loseEvery):
	case f.lie.swap && option == 0:
		f.options[1]++
	case every(f.lie.doubleEvery):
		f.options[option] += 2
	default:
		f.options[option]++
	}
	close(f.moved)
	f.moved = make(chan struct{})
	return f.version, !every(f.lie.silent)
}

func (f *fake) results(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	votes := 0
	var options []map[string]any
	for i, n := range f.options {
		votes += n
		options = append(options, map[string]any{"id": strconv.Itoa(i + 1), "votes": n})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"version": f.version, "votes": votes, "options": options})
}

func (f *fake) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		f.mu.Lock()
		version, moved := f.version, f.moved
		f.mu.Unlock()
		if f.lie.stall {
			version = min(version, 3)
		}
		fmt.Fprintf(w, "event: tally\nid: %d\ndata: {}\n\n", version)
		if f.lie.backward && version > 1 {
			fmt.Fprintf(w, "event: tally\nid: %d\ndata: {}\n\n", version-1)
		}
		w.(http.Flusher).Flush()
		select {
		case <-moved:
		case <-r.Context().Done():
			return
		}
	}
}
