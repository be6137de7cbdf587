package ops_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/console"
)

// someBallot is one that the scenes have.
var someBallot = oponn.NewBallotID()

var assets = sync.OnceValue(views.NewAssets)

// scene is a runtime of one ballot.
type scene struct {
	mu     sync.Mutex
	awake  bool
	viewed bool
	load   ops.Load
	looks  int
}

func (s *scene) Load(context.Context) (ops.Load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load, nil
}

func (s *scene) Look(context.Context, int) console.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return console.State{Committed: s.load.Committed, Tree: console.Node{Name: "oponn", Children: []console.Node{{Name: "writers"}}},
		Hottest: []console.Hot{{Ballot: someBallot.String(), Votes: 12}}}
}

func (s *scene) Ballot(_ context.Context, ballot oponn.BallotID) console.Ballot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return console.Ballot{ID: ballot.String(), State: map[bool]string{true: "awake", false: "asleep"}[s.awake]}
}

func (s *scene) Wake(_ context.Context, ballot oponn.BallotID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ballot != someBallot {
		return oponn.Errorf(oponn.CodeNotFound, "There is no such ballot.")
	}
	s.awake = true
	return nil
}

func (s *scene) Sleep(context.Context, oponn.BallotID) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awake = s.viewed
	return !s.awake, nil
}

func (s *scene) is(t *testing.T, awake bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awake != awake {
		t.Errorf("the ballot is awake: %v", s.awake)
	}
}

// roster keeps what is told.
type roster struct {
	mu    sync.Mutex
	words map[string]oponn.Presence
	err   error
}

func (r *roster) Tell(_ context.Context, word oponn.Presence) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.words[word.Name] = word
	return r.err
}

func (r *roster) Present(context.Context) (all []oponn.Presence, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	for _, word := range r.words {
		all = append(all, word)
	}
	return all, nil
}

func withConsole(of *scene, r oponn.Roster, parts ...ops.Part) *ops.Server {
	return ops.New(ops.Config{Addr: "127.0.0.1:8081", Parts: parts, Logger: slog.New(slog.DiscardHandler),
		Console: &ops.Console{Runtime: of, Assets: assets(), Name: "here-1", Version: "1.2.3", Roster: r}})
}

func send(s http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func seenAt(t *testing.T, s http.Handler) (seen console.State) {
	t.Helper()
	w := get(s, "http://localhost/console.json")
	if err := json.Unmarshal(w.Body.Bytes(), &seen); err != nil {
		t.Fatalf("%d: %v", w.Code, err)
	}
	return seen
}

func TestConsole_Pages(t *testing.T) {
	s := withConsole(&scene{}, nil, ops.Part{Name: "bus", Check: broken})
	for path, words := range map[string][]string{
		"/":                                  {"here-1", "degraded", "it is on fire", "writers", someBallot.String(), "Instances", `hx-sse:connect="/live"`},
		"/?paused":                           {"here-1", "resume"},
		"/ballots/" + someBallot.String():    {"asleep", "put to sleep"},
		"/ballots?id=" + someBallot.String(): {"See Other"},
	} {
		w := get(s, "http://localhost"+path)
		for _, word := range words {
			if !strings.Contains(w.Body.String(), word) {
				t.Errorf("%s doesn't say %q: %s", path, word, w.Body)
			}
		}
		if w.Code == http.StatusOK && !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'") {
			t.Errorf("%s has the policy %q", path, w.Header().Get("Content-Security-Policy"))
		}
		if strings.Contains(path, "paused") && strings.Contains(w.Body.String(), "hx-sse") {
			t.Error("a page that is paused has a stream")
		}
	}
	for _, path := range []string{"/ballots/nothing", "/ballots/nothing/live", "/ballots?id=nothing", "/nothing"} {
		if w := get(s, "http://localhost"+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(s, "http://localhost/", "Accept", "application/json"); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("JSON was asked for: %s", w.Header())
	}
	if w := get(s, "http://localhost"+assets().URL("console.css")); w.Code != http.StatusOK {
		t.Errorf("the style sheet: %d", w.Code)
	}
}

func TestConsole_Buttons(t *testing.T) {
	path := "http://localhost/ballots/" + someBallot.String()
	for name, tt := range map[string]struct {
		target, site, origin string
		status               int
	}{
		"ByThePage":          {path + "/wake", "same-origin", "http://localhost", http.StatusSeeOther},
		"ByATool":            {path + "/wake", "", "", http.StatusSeeOther},
		"FromAnotherSite":    {path + "/wake", "cross-site", "https://evil.example", http.StatusForbidden},
		"FromAnOldBrowser":   {path + "/wake", "", "https://evil.example", http.StatusForbidden},
		"FromAnotherPort":    {path + "/wake", "same-site", "http://localhost:8080", http.StatusForbidden},
		"ByAForeignHost":     {"http://evil.example/ballots/" + someBallot.String() + "/wake", "same-origin", "http://evil.example", http.StatusMisdirectedRequest},
		"ByAForeignHostTool": {"http://evil.example/ballots/" + someBallot.String() + "/wake", "", "", http.StatusMisdirectedRequest},
	} {
		t.Run(name, func(t *testing.T) {
			of := &scene{}
			var header []string
			if tt.site != "" {
				header = append(header, "Sec-Fetch-Site", tt.site)
			}
			if tt.origin != "" {
				header = append(header, "Origin", tt.origin)
			}
			if w := send(withConsole(of, nil), http.MethodPost, tt.target, header...); w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			of.is(t, tt.status == http.StatusSeeOther)
		})
	}
	for name, tt := range map[string]struct {
		of     *scene
		ballot oponn.BallotID
		button string
		did    string
		says   string
	}{
		"Wake":           {&scene{}, someBallot, "wake", "woken", "The ballot is awake."},
		"WakeNothing":    {&scene{}, oponn.NewBallotID(), "wake", "not-found", "no such ballot"},
		"Sleep":          {&scene{awake: true}, someBallot, "sleep", "slept", "was put to sleep"},
		"SleepWhileSeen": {&scene{awake: true, viewed: true}, someBallot, "sleep", "stayed", "stays awake"},
	} {
		t.Run(name, func(t *testing.T) {
			s := withConsole(tt.of, nil)
			want := "/ballots/" + tt.ballot.String() + "?did=" + tt.did
			w := send(s, http.MethodPost, "http://localhost/ballots/"+tt.ballot.String()+"/"+tt.button)
			if got := w.Header().Get("Location"); got != want {
				t.Errorf("it leads to %q, want %q", got, want)
			}
			if page := get(s, "http://localhost"+want).Body.String(); !strings.Contains(page, tt.says) {
				t.Errorf("the page doesn't say %q", tt.says)
			}
			if w := get(s, "http://localhost/ballots/"+tt.ballot.String()+"/"+tt.button); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("a link presses the button: %d", w.Code)
			}
		})
	}
}

func TestConsole_OneLookServesAll(t *testing.T) {
	of := &scene{}
	s := withConsole(of, nil)
	synctest.Test(t, func(*testing.T) {
		for range 10 {
			get(s, "http://localhost/")
		}
		if of.looks != 1 {
			t.Errorf("the actors were looked at %d times", of.looks)
		}
	})
}

func TestConsole_History(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := &scene{load: ops.Load{Streams: 7}}
		s := withConsole(of, nil)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.Sample(ctx)
		for range 20 * 12 { // twenty minutes
			time.Sleep(5 * time.Second) // virtual time
			synctest.Wait()
			of.mu.Lock()
			of.load.Committed += 50
			of.mu.Unlock()
		}
		seen := seenAt(t, s)
		votes, commits, streams := seen.Charts[0].Lines[0].Points, seen.Charts[1].Lines[0].Points, seen.Charts[3].Lines[0].Points
		if len(votes) != 181 || votes.Last() != 10 || streams.Last() != 7 {
			t.Errorf("%d samples, votes/s %v, streams %v", len(votes), votes.Last(), streams.Last())
		}
		if last := commits.Last(); !math.IsNaN(last) {
			t.Errorf("nothing was committed, in %v", last)
		}
		if of.looks != 1 {
			t.Errorf("nobody looked, but the actors were asked %d times", of.looks-1)
		}
	})
}

func TestConsole_Instances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &roster{words: map[string]oponn.Presence{"there-2": {Name: "there-2", Version: "1.2.2", Status: "draining"}}}
		s := withConsole(&scene{}, r)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.Sample(ctx)
		synctest.Wait()
		seen := seenAt(t, s)
		if len(seen.Instances) != 2 || !seen.Instances[0].Self || seen.Instances[1].Version != "1.2.2" || seen.Instances[1].Status != "draining" || seen.Alone {
			t.Errorf("%+v", seen.Instances)
		}
		s.Drain()
		synctest.Wait()
		if word := r.words["here-1"]; word.Status != "draining" || word.Version != "1.2.3" {
			t.Errorf("it told %+v", word)
		}
		r.err = errors.New("away")
		time.Sleep(time.Second) // virtual time
		if seen := seenAt(t, s); len(seen.Instances) != 1 || !seen.Alone {
			t.Errorf("without the roster: %+v", seen.Instances)
		}
	})
}

// TestConsole_Stream opens streams over a socket, until there are too many, and
// ends them with the server.
func TestConsole_Stream(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := ops.NewFront(l.Addr().String(), slog.New(slog.DiscardHandler))
	front.Open(withConsole(&scene{}, nil))
	served := make(chan error, 1)
	go func() { served <- front.Serve(l) }()
	open := func() *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	first := open()
	if first.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s", first.Header)
	}
	lines := bufio.NewScanner(first.Body)
	for lines.Scan() && lines.Text() != "" {
		if !strings.HasPrefix(lines.Text(), "data: ") || strings.Contains(lines.Text(), "hx-") {
			t.Errorf("the line %.80q", lines.Text())
		}
	}
	for range 31 {
		if r := open(); r.StatusCode != http.StatusOK {
			t.Fatalf("status %d", r.StatusCode)
		}
	}
	if r := open(); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", r.StatusCode)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := front.Shutdown(ctx); err != nil {
		t.Errorf("streams are open: %v", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}
