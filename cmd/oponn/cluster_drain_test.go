package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mover is a viewer who does what a stream's end says: comes back, to another
// instance, after the time it was told, with the version seen last.
type mover struct {
	t       *testing.T
	mu      sync.Mutex
	version uint64
	reason  string        // of the first stream's end
	retry   time.Duration // as it was told
	backAt  time.Time
}

// event is one of a stream for programs.
type event struct {
	name, data string
	retry      time.Duration
}

// follow reads one stream until it ends.
func (m *mover) follow(ctx context.Context, s *server, ballot string, see func(event)) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/ballots/"+ballot+"/live", nil)
	if err != nil {
		panic(err)
	}
	if m.version > 0 {
		request.Header.Set("Last-Event-ID", fmt.Sprint(m.version))
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	var e event
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "retry":
			ms, _ := strconv.Atoi(value)
			e.retry = time.Duration(ms) * time.Millisecond
		case "":
			see(e)
			e = event{}
		}
	}
}

// watch watches on one instance, and after that on the next.
func (m *mover) watch(ctx context.Context, first, next *server, ballot string) {
	m.follow(ctx, first, ballot, func(e event) {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch e.name {
		case "tally":
			m.see(e.data)
		case "end":
			var end struct{ Reason string }
			_ = json.Unmarshal([]byte(e.data), &end)
			m.reason, m.retry = end.Reason, e.retry
		}
	})
	pause := time.NewTimer(m.retry)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		m.follow(ctx, next, ballot, func(e event) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.backAt.IsZero() {
				m.backAt = time.Now()
			}
			if e.name == "tally" {
				m.see(e.data)
			}
		})
	}
}

// see takes in a version, which must not be older than one seen before.
func (m *mover) see(data string) {
	var tally struct{ Version uint64 }
	if err := json.Unmarshal([]byte(data), &tally); err != nil || tally.Version < m.version {
		m.t.Errorf("version %d came after version %d: %v", tally.Version, m.version, err)
	}
	m.version = tally.Version
}

func (m *mover) seen() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version
}

// TestCluster_ViewersMoveWhenAnInstanceDrains ends one of two instances under a
// load of votes and viewers: no vote is lost, none fails for good, every viewer
// goes to the other instance and misses nothing, and they come there spread.
func TestCluster_ViewersMoveWhenAnInstanceDrains(t *testing.T) {
	const viewers = 400
	c := newCluster(t)
	going, staying := c.serve(t, "OPONN_DRAIN_DELAY=300ms"), c.serve(t)
	ballot := createBallot(t, going, "Moving?", "yes", "no")
	ctx, leave := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	defer watching.Wait()
	defer leave()
	movers := make([]*mover, viewers)
	for i := range movers {
		movers[i] = &mover{t: t}
		watching.Go(func() { movers[i].watch(ctx, going, staying, ballot) })
	}
	everyone := func(version uint64) func() bool {
		return func() bool {
			return !slices.ContainsFunc(movers, func(m *mover) bool { return m.seen() < version })
		}
	}
	l := startLoad(t, spread(going, staying), ballot)
	l.more(t, 50)
	eventually(t, "everybody watches", everyone(2))

	going.signal(t, syscall.SIGTERM)
	if code := going.awaitExit(t); code != 0 {
		t.Errorf("the instance ended with %d, want 0", code)
	}
	l.more(t, 50)
	l.wantAllCounted(t, c, staying)
	var final struct{ Version uint64 }
	_, body := fetch(t, staying.url+"/api/v1/ballots/"+ballot+"/results")
	if err := json.Unmarshal([]byte(body), &final); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everybody sees the last version", everyone(final.Version))
	wantSpread(t, movers)
	leave()
	watching.Wait()
	wantGoodEnd(t, staying)
}

// wantSpread wants viewers told to come back at different times.
func wantSpread(t *testing.T, movers []*mover) {
	t.Helper()
	const slice = 250 * time.Millisecond
	var first, last time.Time
	told := make(map[time.Duration]int)
	for _, m := range movers {
		if m.reason != "draining" || m.retry < time.Second || m.retry > 3*time.Second {
			t.Fatalf("a stream ended with the reason %q and a retry of %v", m.reason, m.retry)
		}
		told[m.retry.Truncate(slice)]++
		if first.IsZero() || m.backAt.Before(first) {
			first = m.backAt
		}
		if m.backAt.After(last) {
			last = m.backAt
		}
	}
	t.Logf("%d viewers came back within %v", len(movers), last.Sub(first).Round(time.Millisecond))
	for at, n := range told {
		if n > len(movers)/4 { // an eighth is even
			t.Errorf("%d of %d are told to come back within %v after %v", n, len(movers), slice, at)
		}
	}
}

// TestCluster_ASecondSignalEndsAtOnce sends it to an instance that drains, with
// votes and viewers: it ends by the signal, and what it has acknowledged counts.
func TestCluster_ASecondSignalEndsAtOnce(t *testing.T) {
	c := newCluster(t)
	going, staying := c.serve(t, "OPONN_DRAIN_DELAY=1m"), c.serve(t)
	ballot := createBallot(t, going, "At once?", "yes", "no")
	ended := watch(t, going, ballot)
	l := startLoad(t, spread(going, staying), ballot)
	l.more(t, 50)
	going.signal(t, syscall.SIGTERM)
	wantReady(t, going, http.StatusServiceUnavailable, "draining")
	l.more(t, 50)
	begin := time.Now()
	going.signal(t, syscall.SIGTERM)
	if code := going.awaitExit(t); code != -1 {
		t.Errorf("the instance ended with %d, want to be ended by the signal", code)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("that took %v", took)
	}
	select {
	case <-ended:
	case <-time.After(soon):
		t.Error("the stream goes on")
	}
	l.more(t, 50)
	l.wantAllCounted(t, c, staying)
	wantGoodEnd(t, staying)
}
