package bench_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench"
	"github.com/oponn/oponn/cmd/oponn/bench/report"
)

// plan is small: a number of votes, and a few viewers.
func plan(target string) bench.Plan {
	return bench.Plan{Targets: []string{target}, Connections: 8, Votes: 200, Duration: time.Minute, Viewers: 5, Settle: 10 * time.Second}
}

func run(t *testing.T, p bench.Plan) *report.Report {
	t.Helper()
	r, err := bench.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun_BelievesAnHonestServer(t *testing.T) {
	t.Parallel()
	r := run(t, plan(newFake(t, lie{})))
	if want := (report.Checks{Counted: 200}); r.Checks != want {
		t.Errorf("checks %+v, want %+v", r.Checks, want)
	}
	if r.Votes.Acknowledged != 200 || r.Votes.Acknowledgement.Count != 200 || r.Votes.PerSecond <= 0 || r.Votes.TokensMeanwhile != 0 {
		t.Errorf("votes %+v", r.Votes)
	}
	if r.Viewers.Joined != 5 || r.Viewers.Frames < 10 || r.Viewers.FirstFrame.Count != 5 {
		t.Errorf("viewers %+v", r.Viewers)
	}
	// Every vote came to every viewer.
	if r.Screen == nil || r.Screen.Count != 5*200 || r.Screen.Max < r.Screen.P50 {
		t.Errorf("screen %+v", r.Screen)
	}
}

func TestRun_CatchesALiar(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lie    lie
		settle time.Duration
		want   func(report.Checks) bool
	}{
		"LosesEveryTenth":   {lie: lie{loseEvery: 10}, want: func(c report.Checks) bool { return c.Lost == 20 && c.Doubled == 0 && c.Counted == 180 }},
		"DoublesEveryTenth": {lie: lie{doubleEvery: 10}, want: func(c report.Checks) bool { return c.Lost == 0 && c.Doubled == 20 && c.Counted == 220 }},
		"CountsForAnother":  {lie: lie{swap: true}, want: func(c report.Checks) bool { return c.Lost > 0 && c.Doubled == c.Lost && c.Counted == 200 }},
		"GoesBackward":      {lie: lie{backward: true}, want: func(c report.Checks) bool { return c.Backward > 0 && c.Lost == 0 }},
		"Stalls":            {lie: lie{stall: true}, settle: 200 * time.Millisecond, want: func(c report.Checks) bool { return c.Stale == 5 && c.Lost == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(newFake(t, test.lie))
			if test.settle > 0 {
				p.Settle = test.settle
			}
			if r := run(t, p); !test.want(r.Checks) {
				t.Errorf("checks %+v", r.Checks)
			}
		})
	}
}

// TestRun_ForgivesWhatWasUnknown has answers lost on the way: the votes are
// sent again with the same ids, and nothing is lost or doubled.
func TestRun_ForgivesWhatWasUnknown(t *testing.T) {
	t.Parallel()
	p := plan(newFake(t, lie{silent: 10}))
	r := run(t, p)
	if r.Votes.Acknowledged != 200 || r.Votes.Retries == 0 || r.Votes.Refused["broken connection"] == 0 || r.Checks.Lost+r.Checks.Doubled != 0 {
		t.Errorf("votes %+v, checks %+v", r.Votes, r.Checks)
	}
	p.Tries = 1 // now they stay unknown, but they were counted
	p.Targets = []string{newFake(t, lie{silent: 10})}
	r = run(t, p)
	if r.Votes.Unknown != 20 || r.Votes.Acknowledged != 180 || r.Checks.Counted != 200 || r.Checks.Lost+r.Checks.Doubled != 0 {
		t.Errorf("votes %+v, checks %+v", r.Votes, r.Checks)
	}
}

func TestRun_OpenLoop(t *testing.T) {
	t.Parallel()
	p := plan(newFake(t, lie{}))
	p.Votes, p.Rate, p.Duration, p.Ramp = 0, 400, time.Second, 500*time.Millisecond
	r := run(t, p)
	if r.Votes.Begun != 300 || r.Votes.Acknowledged != 300 || r.Tester.Late == nil || r.Screen.Count != 5*300 {
		t.Errorf("%d begun, %d acknowledged, screen %d, late %v, checks %+v", r.Votes.Begun, r.Votes.Acknowledged, r.Screen.Count, r.Tester.Late != nil, r.Checks)
	}
}

// TestRun_OverTLS has voters and viewers who are ordinary clients.
func TestRun_OverTLS(t *testing.T) {
	t.Parallel()
	s := unstartedFake(lie{})
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	p := plan(s.URL)
	p.Insecure = true
	r := run(t, p)
	if want := (report.Checks{Counted: 200}); r.Checks != want || r.Votes.Acknowledged != 200 || r.Screen.Count != 5*200 {
		t.Errorf("checks %+v, votes %+v, screen %+v", r.Checks, r.Votes, r.Screen)
	}
	p.Insecure = false
	if _, err := bench.Run(t.Context(), p); err == nil {
		t.Error("a certificate of nobody is accepted")
	}
}

func TestRun_SpreadsOverTargets(t *testing.T) {
	t.Parallel()
	hosts := map[string]*atomic.Int64{"127.0.0.1": {}, "localhost": {}}
	s := unstartedFake(lie{})
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if strings.HasSuffix(r.URL.Path, "/votes") || strings.HasSuffix(r.URL.Path, "/live") {
			hosts[host].Add(1)
		}
		inner.ServeHTTP(w, r)
	})
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	p := plan(s.URL)
	p.Targets = []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}
	r := run(t, p)
	if r.Votes.Acknowledged != 200 || r.Viewers.Joined != 5 {
		t.Errorf("votes %+v, viewers %+v", r.Votes, r.Viewers)
	}
	for host, n := range hosts {
		if n.Load() < 10 {
			t.Errorf("%s was asked %d times", host, n.Load())
		}
	}
}

func TestRun_RefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"http://192.0.2.1:8080", "http://[2001:db8::1]"} {
		_, err := bench.Run(t.Context(), plan(target))
		if err == nil || !strings.Contains(err.Error(), "--i-own-this") {
			t.Errorf("%s: %v", target, err)
		}
	}
	if r := run(t, plan(strings.Replace(newFake(t, lie{}), "127.0.0.1", "localhost", 1))); r.Votes.Acknowledged != 200 {
		t.Errorf("localhost: %+v", r.Votes)
	}
}

func TestRun_BadPlans(t *testing.T) {
	t.Parallel()
	target := newFake(t, lie{})
	for name, change := range map[string]func(*bench.Plan){
		"Nothing":     func(p *bench.Plan) { p.Connections, p.Viewers = 0, 0 },
		"Connections": func(p *bench.Plan) { p.Connections = 1_000_000 },
		"Viewers":     func(p *bench.Plan) { p.Viewers = -1 },
		"Duration":    func(p *bench.Plan) { p.Duration = 48 * time.Hour },
		"Ramp":        func(p *bench.Plan) { p.Ramp = 2 * time.Minute },
		"Repeats":     func(p *bench.Plan) { p.Repeats = 2 },
		"NoTarget":    func(p *bench.Plan) { p.Targets = nil },
		"Path":        func(p *bench.Plan) { p.Targets = []string{target + "/path"} },
		"Scheme":      func(p *bench.Plan) { p.Targets = []string{"ftp://127.0.0.1"} },
		"TooMany":     func(p *bench.Plan) { p.Viewers = 150_000 }, // for one process
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(target)
			change(&p)
			if _, err := bench.Run(t.Context(), p); err == nil {
				t.Error("the plan is carried out")
			}
		})
	}
}

// TestRun_EndsWithItsContext ends a test early and still gets a report.
func TestRun_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := plan(newFake(t, lie{}))
	p.Votes = 0
	p.Progress = func(now bench.Progress) {
		if now.Phase == "vote" && now.Acknowledged > 20 {
			cancel()
		}
	}
	r, err := bench.Run(ctx, p)
	if !errors.Is(err, context.Canceled) || r == nil || r.Votes.Acknowledged == 0 || r.Checks.Lost+r.Checks.Doubled != 0 {
		t.Errorf("%v, report %+v", err, r)
	}
}
