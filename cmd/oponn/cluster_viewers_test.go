package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// viewer watches a ballot's stream, and comes back when it ends.
type viewer struct {
	mu      sync.Mutex
	moved   chan struct{} // closed at the next frame
	version uint64
	votes   uint64
	streams int
	fell    string // how a version fell
}

// startViewer has a viewer watch until the test ends.
func startViewer(t *testing.T, s *server, ballot string) *viewer {
	t.Helper()
	v := &viewer{moved: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		pause := time.NewTicker(100 * time.Millisecond)
		defer pause.Stop()
		for ctx.Err() == nil {
			v.watch(ctx, s.url+"/api/v1/ballots/"+ballot+"/live")
			<-pause.C
		}
	})
	t.Cleanup(func() {
		cancel()
		watching.Wait()
		if v.fell != "" {
			t.Errorf("at a viewer, %s", v.fell)
		}
	})
	return v
}

// watch reads one stream to its end.
func (v *viewer) watch(ctx context.Context, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	v.mu.Lock()
	if v.version > 0 {
		request.Header.Set("Last-Event-ID", fmt.Sprint(v.version))
	}
	v.streams++
	v.mu.Unlock()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	event := ""
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimPrefix(value, " "); {
		case name == "event":
			event = value
		case name == "data" && event == "tally":
			v.see([]byte(value))
		}
	}
}

func (v *viewer) see(data []byte) {
	var tally struct{ Version, Votes uint64 }
	err := json.Unmarshal(data, &tally)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		v.fell = fmt.Sprintf("a frame is no JSON: %s", data)
	case tally.Version < v.version || tally.Votes < v.votes:
		v.fell = fmt.Sprintf("version %d with %d votes came after version %d with %d", tally.Version, tally.Votes, v.version, v.votes)
	}
	v.version, v.votes = max(v.version, tally.Version), max(v.votes, tally.Votes)
	close(v.moved)
	v.moved = make(chan struct{})
}

// seen returns the newest version that the viewer was shown.
func (v *viewer) seen() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.version
}

// await waits until the viewer has seen the version.
func (v *viewer) await(t *testing.T, version uint64) {
	t.Helper()
	deadline := time.After(soon)
	for {
		v.mu.Lock()
		seen, moved := v.version, v.moved
		v.mu.Unlock()
		if seen >= version {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			t.Fatalf("a viewer waited for version %d in vain and saw %d", version, seen)
		}
	}
}

// lag casts votes on an instance, one by one, and returns how long each took
// to be seen by the viewers, from its acknowledgement on, in the order of
// length.
func lag(t *testing.T, s *server, ballot string, n int, viewers ...*viewer) (lags []time.Duration) {
	t.Helper()
	tokens, ok := newTokens(s, n)
	if !ok {
		t.Fatal("no voter tokens")
	}
	for _, token := range tokens {
		r := newVote(ballot, token, "1").cast(s)
		if r.status != http.StatusCreated {
			t.Fatalf("a vote got %s", r)
		}
		begin := time.Now()
		for _, v := range viewers {
			v.await(t, r.Version)
		}
		lags = append(lags, time.Since(begin))
	}
	slices.Sort(lags)
	return lags
}

// waits casts votes on an instance, one by one, and returns how long each took
// to be acknowledged, in the order of length.
func waits(t *testing.T, s *server, ballot string, n int) (took []time.Duration) {
	t.Helper()
	tokens, ok := newTokens(s, n)
	if !ok {
		t.Fatal("no voter tokens")
	}
	for _, token := range tokens {
		begin := time.Now()
		if r := newVote(ballot, token, "1").cast(s); r.status != http.StatusCreated {
			t.Fatalf("a vote got %s", r)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took
}

// wantLag wants most votes seen in time. A few may come later: the machine of
// a test has other things to do.
func wantLag(t *testing.T, what string, lags []time.Duration, limit time.Duration) {
	t.Helper()
	median, longest := lags[len(lags)/2], lags[len(lags)-1]
	t.Logf("%s: %d votes seen after %v, at most %v", what, len(lags), median.Round(time.Millisecond), longest.Round(time.Millisecond))
	if median > limit || longest > 4*limit {
		t.Errorf("%s: seen after %v, at most %v; want %v", what, median, longest, limit)
	}
}
