package viewers_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
)

const workerVariable = "OPONN_TEST_VIEWERS"

// TestMain lets this program be a process of viewers, too.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := viewers.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// stage is a server of event streams.
type stage struct {
	*httptest.Server
	mu      sync.Mutex
	version uint64
	moved   chan struct{} // closed when the version changes
	// first is called with how often a stream was asked for; it may answer in
	// place of the stream, and then returns true.
	first func(w http.ResponseWriter, r *http.Request, n int64) bool
	asked atomic.Int64
}

func newStage(t *testing.T, secure bool, first func(w http.ResponseWriter, r *http.Request, n int64) bool) *stage {
	t.Helper()
	s := &stage{version: 1, moved: make(chan struct{}), first: first}
	s.Server = httptest.NewUnstartedServer(s)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // viewers leave in the middle
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

func (s *stage) now() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.moved
}

func (s *stage) move(version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
	close(s.moved)
	s.moved = make(chan struct{})
}

// ServeHTTP streams a frame for each version.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.first != nil && s.first(w, r, s.asked.Add(1)) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "event: beat\nretry: 100\ndata: {}\n\n")
	for {
		version, moved := s.now()
		fmt.Fprintf(w, "event: tally\nid: %d\ndata: {\"version\":%d}\n\n", version, version)
		w.(http.Flusher).Flush()
		select {
		case <-moved:
		case <-r.Context().Done():
			return
		}
	}
}

func config(n int, s *stage) viewers.Config {
	return viewers.Config{Targets: []string{s.URL}, Paths: []string{"/live"}, Viewers: n, Total: n, Begin: monotonic.Now(), Insecure: true}
}

// await asks until the crowd is so far.
func await(t *testing.T, c viewers.Crowd, what string, done func(viewers.Progress) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done(c.Progress()) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s: %+v", what, c.Progress())
		}
	}
}

// crowds are the ways to gather viewers.
var crowds = map[string]struct {
	secure bool
	gather func(viewers.Config) (viewers.Crowd, error)
}{
	"Cheap": {gather: func(c viewers.Config) (viewers.Crowd, error) { return viewers.Gather(context.Background(), c) }},
	"TLS":   {secure: true, gather: func(c viewers.Config) (viewers.Crowd, error) { return viewers.Gather(context.Background(), c) }},
	"Process": {gather: func(c viewers.Config) (viewers.Crowd, error) {
		return viewers.Spawn(context.Background(), []string{"/usr/bin/env", workerVariable + "=1", os.Args[0]}, c)
	}},
}

func TestCrowd_Watches(t *testing.T) {
	t.Parallel()
	for name, way := range crowds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 40
			s := newStage(t, way.secure, nil)
			crowd, err := way.gather(config(n, s))
			if err != nil {
				t.Fatal(err)
			}
			await(t, crowd, "all to join", func(p viewers.Progress) bool { return p.Joined == n && p.Watching == n })
			moved := monotonic.Now()
			s.move(5)
			await(t, crowd, "the next frame", func(p viewers.Progress) bool { return p.Frames == 2*n })
			crowd.Expect([]uint64{5})
			await(t, crowd, "nobody behind", func(p viewers.Progress) bool { return p.Behind == 0 })
			r, err := crowd.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Joined != n || r.Frames != 2*n || r.Conflated != 3*n || r.Backward != 0 || r.Stale != 0 || r.Watching != n || r.Broken != 0 {
				t.Errorf("%+v", r)
			}
			if len(r.Arrivals) != 1 || r.Arrivals[0].From != 1 || r.Arrivals[0].To != 5 || r.Weight != 1 {
				t.Errorf("arrivals %+v, weight %d", r.Arrivals, r.Weight)
			}
			for _, a := range r.Arrivals { // by the clock of all processes
				if a.First < moved || a.Last < a.First || a.Last > monotonic.Now() {
					t.Errorf("arrivals from %d to %d; the frame was sent after %d", a.First, a.Last, moved)
				}
			}
		})
	}
}

// TestCrowd_NoticesWhatIsWrong has a server that goes back, and one that stalls.
func TestCrowd_NoticesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, way := range crowds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 10
			s := newStage(t, way.secure, nil)
			crowd, err := way.gather(config(n, s))
			if err != nil {
				t.Fatal(err)
			}
			s.move(7)
			await(t, crowd, "version 7", func(p viewers.Progress) bool { return p.Joined == n })
			frames := crowd.Progress().Frames
			s.move(6)
			await(t, crowd, "version 6", func(p viewers.Progress) bool { return p.Frames >= frames+n })
			crowd.Expect([]uint64{8})
			await(t, crowd, "all behind", func(p viewers.Progress) bool { return p.Behind == n })
			r, err := crowd.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Backward == 0 || r.Stale != n {
				t.Errorf("%d backward, %d stale; want some and %d", r.Backward, r.Stale, n)
			}
		})
	}
}

// TestCrowd_ComesBack has the first streams refused, sent away and broken, and
// wants those who come back to say what they have seen.
func TestCrowd_ComesBack(t *testing.T) {
	t.Parallel()
	for name, way := range crowds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lastID atomic.Uint64
			s := newStage(t, way.secure, func(w http.ResponseWriter, r *http.Request, n int64) bool {
				if id, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
					lastID.Store(id)
				}
				switch n {
				case 1:
					http.Error(w, `{"code":"busy"}`, http.StatusServiceUnavailable)
				case 2:
					fmt.Fprint(w, "event: busy\nretry: 100\ndata: busy\n\n")
				case 3:
					fmt.Fprint(w, "id: 1\nretry: 100\ndata: and then it breaks\n\n")
				default:
					return false
				}
				return true
			})
			crowd, err := way.gather(config(1, s))
			if err != nil {
				t.Fatal(err)
			}
			await(t, crowd, "a frame of the fourth stream", func(p viewers.Progress) bool { return p.Frames == 2 })
			r, err := crowd.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Refused["503 busy"] != 1 || r.Refused["told to come back"] != 1 || r.Broken != 1 || r.Reconnects != 3 || lastID.Load() != 1 {
				t.Errorf("refused %v, broken %d, reconnects %d, last id %d", r.Refused, r.Broken, r.Reconnects, lastID.Load())
			}
		})
	}
}

func TestCrowd_StaysAwayFromWhatHasEnded(t *testing.T) {
	t.Parallel()
	for name, way := range crowds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, way.secure, func(w http.ResponseWriter, _ *http.Request, n int64) bool {
				if n == 1 {
					http.Error(w, `{"code":"gone"}`, http.StatusGone)
				} else {
					fmt.Fprint(w, "id: 3\ndata: the last\n\nevent: end\ndata: closed\n\n")
				}
				return true
			})
			crowd, err := way.gather(config(3, s))
			if err != nil {
				t.Fatal(err)
			}
			await(t, crowd, "all to be gone", func(p viewers.Progress) bool { return p.Gone == 3 })
			r, err := crowd.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Ended != 3 || r.Reconnects != 0 || r.Joined != 2 || s.asked.Load() != 3 {
				t.Errorf("%d ended, %d reconnects, %d joined, asked for %d times", r.Ended, r.Reconnects, r.Joined, s.asked.Load())
			}
		})
	}
}

func TestSpawn_SaysWhenTheProcessFails(t *testing.T) {
	t.Parallel()
	s := newStage(t, false, nil)
	crowd, err := viewers.Spawn(context.Background(), []string{"/bin/true"}, config(1, s))
	if err != nil {
		return // it had gone before it was told anything
	}
	if r, err := crowd.Stop(); err == nil {
		t.Errorf("a process that did nothing has a result: %+v", r)
	}
}
