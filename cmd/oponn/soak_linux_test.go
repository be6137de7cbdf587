package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSoak has ballots made, voted on, watched and deleted, by connections that
// come and go: memory, goroutines, actors and descriptors return to where they
// were. SOAK_TIME says for how long: `make soak T=30m`.
func TestSoak(t *testing.T) {
	last := 10 * time.Second
	if text := os.Getenv("SOAK_TIME"); text != "" {
		var err error
		if last, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	lifetimeOf(t, 2*last+time.Minute)
	c := newCluster(t)
	s := c.serve(t, "OPONN_IDLE_AFTER=1s")
	churn(t, s, max(5*time.Second, last/10)) // what is made once and kept is made now
	before := s.settled(t)
	begun := time.Now()
	rounds := churn(t, s, last)
	after := s.settled(t)
	t.Logf("%d ballots in %v; before: %v; after: %v", rounds, time.Since(begun).Round(time.Second), before, after)
	if after.goroutines > before.goroutines+8 || after.actors > before.actors+2 || after.descriptors > before.descriptors+8 || after.heap > before.heap+before.heap/4+4<<20 {
		t.Errorf("something stays: %v, then %v", before, after)
	}
	if rounds == 0 {
		t.Error("nothing was made: nothing was tested")
	}
	c.mustVerify(t)
	wantGoodEnd(t, s)
}

// churn makes ballots and deletes them for some time, and returns how many.
func churn(t *testing.T, s *server, last time.Duration) int {
	t.Helper()
	end := time.Now().Add(last)
	var rounds atomic.Int64
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for time.Now().Before(end) {
				if err := round(s); err != nil {
					t.Error(err)
					return
				}
				rounds.Add(1)
			}
		})
	}
	working.Wait()
	return int(rounds.Load())
}

// round is the life of one ballot.
func round(s *server) error {
	own := &http.Client{Timeout: soon, Transport: &http.Transport{}} // connections come and go
	defer own.CloseIdleConnections()
	var made struct {
		ID       string
		OwnerKey string `json:"owner_key"`
	}
	if status := post(s.url+"/api/v1/ballots", nil, map[string]any{"question": "Round?", "options": []string{"yes", "no"}}, &made); status != http.StatusCreated {
		return fmt.Errorf("create: status %d", status)
	}
	url := s.url + "/api/v1/ballots/" + made.ID
	response, err := own.Get(url + "/live")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	tokens, ok := newTokens(s, 5)
	if !ok {
		return fmt.Errorf("no voter tokens")
	}
	for _, token := range tokens {
		if r := newVote(made.ID, token, "1").cast(s); r.status != http.StatusCreated {
			return fmt.Errorf("vote: %s", r)
		}
	}
	if _, err := response.Body.Read(make([]byte, 512)); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	r := ask(http.MethodDelete, url, http.Header{"Authorization": {"Bearer " + made.OwnerKey}}, nil)
	if r.status != http.StatusNoContent {
		return fmt.Errorf("delete: %s", r)
	}
	return nil
}

// usage is what a process holds.
type usage struct{ goroutines, actors, descriptors, heap, resident int }

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d actors, %d descriptors, %d KB of heap, %d KB resident", u.goroutines, u.actors, u.descriptors, u.heap>>10, u.resident>>10)
}

var (
	goroutines = regexp.MustCompile(`goroutine profile: total (\d+)`)
	heapAlloc  = regexp.MustCompile(`# HeapAlloc = (\d+)`)
	alive      = regexp.MustCompile(`(?m)^oponn_actors_alive\{.*\} (\d+)$`)
	resident   = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
)

// settled waits until a server's usage falls no more, and returns the least.
func (s *server) settled(t *testing.T) usage {
	t.Helper()
	client.CloseIdleConnections()
	least, pause := s.usage(t), time.NewTicker(500*time.Millisecond)
	defer pause.Stop()
	for quiet := 0; quiet < 10; quiet++ {
		<-pause.C
		now := s.usage(t)
		if now.goroutines < least.goroutines || now.actors < least.actors || now.descriptors < least.descriptors || now.heap < least.heap-least.heap/50 {
			quiet = 0
		}
		least = usage{min(least.goroutines, now.goroutines), min(least.actors, now.actors), min(least.descriptors, now.descriptors), min(least.heap, now.heap), now.resident}
	}
	return least
}

// usage asks a server what it holds, after a collection of garbage.
func (s *server) usage(t *testing.T) usage {
	t.Helper()
	number := func(pattern *regexp.Regexp, text string) int {
		found := pattern.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no %v in %q", pattern, lastLines(text, 3))
		}
		n, _ := strconv.Atoi(found[1])
		return n
	}
	_, stacks := fetch(t, s.ops+"/debug/pprof/goroutine?debug=1")
	_, heap := fetch(t, s.ops+"/debug/pprof/heap?debug=1&gc=1")
	_, metrics := fetch(t, s.ops+"/metrics")
	actors := 0
	for _, kind := range alive.FindAllStringSubmatch(metrics, -1) {
		n, _ := strconv.Atoi(kind[1])
		actors += n
	}
	if actors == 0 {
		t.Fatalf("no actors in %q", lastLines(metrics, 3))
	}
	proc := filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		t.Fatal(err)
	}
	descriptors, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return usage{number(goroutines, stacks), actors, len(descriptors), number(heapAlloc, heap), number(resident, strings.ReplaceAll(string(status), "\t", " ")) << 10}
}
