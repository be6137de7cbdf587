package main_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn/views/console"
)

// mustTop returns what `oponn top` says of a server.
func mustTop(t *testing.T, s *server) string {
	t.Helper()
	code, out, errs := oponn(t, t.TempDir(), nil, "top", "--ops-addr", strings.TrimPrefix(s.ops, "http://"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	return out
}

// calledOn is a console with something of everything.
func calledOn() console.State {
	started := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	now := started.Add(3*time.Hour + 12*time.Minute)
	self := console.Instance{Name: "vote-1", Version: "1.2.3", Status: "degraded", Started: started, Votes: 12345.6, Streams: 8000, Awake: 2, Self: true}
	other := console.Instance{Name: "vote-2", Version: "1.2.2", Status: "draining", Started: now.Add(-time.Minute), Votes: 0.2}
	return console.State{At: now, Self: self, Instances: []console.Instance{self, other},
		Parts: []console.Part{{Name: "store", OK: true}, {Name: "bus", Error: "redis: connection refused\x1b[2J", Since: now.Add(-90 * time.Second)}},
		Tree: console.Node{Name: "oponn", Children: []console.Node{
			{Name: "writers", Alive: 1, Children: []console.Node{{Name: "writer/0", Note: "writing", Waiting: 3, Rate: 12345.6, Unit: "votes/s", Delay: 0.0001}}},
			{Name: "relay", Silent: true},
		}},
		Hottest: []console.Hot{{Ballot: "AAAAAAAAAAAAAAAAAAAAAA", Votes: 12345.6, Viewers: 8000, Batch: 212, Lag: 0.1048}},
		Charts: []console.Chart{
			{Name: "votes/s", Every: 5, Lines: []console.Line{{Points: console.Points{0, 6000, 12000}}}},
			{Name: "commit", Unit: "s", Every: 5, Lines: []console.Line{
				{Name: "p99", Points: console.Points{math.NaN(), 0.004, 0.002}}, {Name: "p50", Points: console.Points{math.NaN(), 0.001, 0.001}}}},
		},
		Kinds: []console.Kind{{Name: "ballot", Alive: 2, Waiting: 7, Messages: 24000, Waited: 0.0031}},
	}
}

const topOfCalledOn = `vote-1  degraded: bus  up 3 h 12 min  12,346 votes/s  8,000 streams  2 awake  23:12:00 UTC
! bus for 1 min 30 s: redis: connection refused?[2J

votes/s                    12,000  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅█████████████████████
commit p99                 2.0 ms                        █████████████████████▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅
commit p50                 1.0 ms

actor                                                    alive  waiting              rate      reply
oponn
├─ writers                                                   1
│  └─ writer/0  writing                                               3    12,346 votes/s    0.10 ms
└─ relay                                                                                   no answer

hottest ballots            votes/s  viewers   batch       lag
AAAAAAAAAAAAAAAAAAAAAA      12,346    8,000     212    105 ms

mailboxes                    alive  waiting  messages/s  wait p99
ballot                           2        7      24,000    3.1 ms

instances                state       votes/s  streams             up  version
vote-1 *                 degraded     12,346    8,000     3 h 12 min  1.2.3
vote-2                   draining        0.2        0     1 min 00 s  1.2.2
`

func TestTop(t *testing.T) {
	l := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/console.json" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(calledOn())
	}))
	defer l.Close()
	addr := strings.TrimPrefix(l.URL, "http://")
	code, out, errs := oponn(t, t.TempDir(), []string{"OPONN_OPS_ADDR=" + addr}, "top", "--once")
	if code != 0 || out != topOfCalledOn {
		t.Errorf("exit code %d, %s\n%s\nwant\n%s", code, errs, out, topOfCalledOn)
	}
}

func TestTop_NoServer(t *testing.T) {
	for addr, want := range map[string]struct {
		code int
		says string
	}{
		"127.0.0.1:1": {1, "no server answers at OPONN_OPS_ADDR (127.0.0.1:1)"},
		"nonsense":    {2, "an address is written like"},
	} {
		code, out, errs := oponn(t, t.TempDir(), nil, "top", "--ops-addr", addr)
		if code != want.code || out != "" || !strings.Contains(errs, want.says) {
			t.Errorf("%s: exit code %d, %q, %q", addr, code, out, errs)
		}
	}
}

func TestTop_Server(t *testing.T) {
	s := serve(t, t.TempDir())
	if out := mustTop(t, s); !strings.Contains(out, "writer/0") || !strings.Contains(out, "no ballot is awake") {
		t.Errorf("it says\n%s", out)
	}
	s.stop(t)
}
