package http_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

// TestRefusedCrowdComesBackSpread refuses a crowd, in every way in which one
// can be refused for a while: no two seconds of those in which it is told to
// come back have most of it.
func TestRefusedCrowdComesBackSpread(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
	b := w.ballot(teaOrCoffee())
	path := "/ballots/" + b.ID
	voter := w.browser()
	id, token := voter.open(path).value("vote_id"), w.token()
	for range 12 { // the budget is spent then
		w.send(http.MethodPost, "/api/v1/voters", `{"count":1000}`)
	}
	w.faults.set(func(f *faults) {
		f.cast = func(func() (oponn.Receipt, error)) (oponn.Receipt, error) {
			return oponn.Receipt{}, unavailable(oponn.CodeBusy)
		}
		f.create = func() error { return unavailable(oponn.CodeKeysUnavailable) }
		f.watch = func(oponn.Viewer) error { return unavailable(oponn.CodeBusy) }
	})
	defer w.faults.set(func(f *faults) { f.cast, f.create, f.watch = nil, nil, nil })
	seconds := func(r reply, status int) int {
		after, err := strconv.Atoi(r.want(t, status).header.Get("Retry-After"))
		if err != nil || after < 1 {
			t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
		}
		return after * 1000
	}
	const crowd = 120
	for name, refused := range map[string]func() (milliseconds int){
		"VoteByAPI": func() int {
			return seconds(w.cast(b.ID, token, oponn.NewVoteID(), choose("1")), http.StatusServiceUnavailable)
		},
		"VoteByForm": func() int {
			p := voter.submit(path+"/votes", fields("choice", "2", "vote_id", id)).want(t, http.StatusServiceUnavailable)
			return seconds(p.reply, http.StatusServiceUnavailable)
		},
		"Create": func() int {
			return seconds(w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee()), http.StatusServiceUnavailable)
		},
		"Tokens": func() int {
			return seconds(w.send(http.MethodPost, "/api/v1/voters", `{"count":1000}`), http.StatusTooManyRequests)
		},
		"StreamOfAPI": func() int { return seconds(w.get(apiLive(b)), http.StatusServiceUnavailable) },
		"StreamOfPage": func() int {
			l := w.listen(pageLive(b))
			retry, err := strconv.Atoi(l.await("busy").retry)
			if err != nil {
				t.Error(err)
			}
			return retry
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := make(map[int]int)
			for range crowd {
				at[refused()/1000]++
			}
			for second, n := range at {
				if n+at[second+1] > crowd*95/100 {
					t.Errorf("%d of %d are told to come back within seconds %d and %d: %v", n+at[second+1], crowd, second, second+1, at)
				}
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	const given = "7e0f-abc_DEF.42"
	behind := start(t, tuning{http: func(c *oponnhttp.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }})
	open := start(t, tuning{})
	for _, tt := range []struct {
		name, id string
		w        *world
		taken    bool
	}{
		{"FromAProxy", given, behind, true},
		{"FromAnybody", given, open, false},
		{"None", "", behind, false},
		{"TooLong", strings.Repeat("a", 65), behind, false},
		{"WithSpace", "a b", behind, false},
		{"WithQuote", `a"b`, behind, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.w.ballot(teaOrCoffee())
			for _, path := range []string{"/ballots/" + b.ID, "/api/v1/ballots/" + b.ID + "/results"} {
				r := tt.w.get(path, "X-Request-Id", tt.id).want(t, http.StatusOK)
				got := r.header.Get("X-Request-Id")
				if (got == tt.id) != tt.taken || !tt.taken && len(got) != 16 {
					t.Errorf("%s: the request is known as %q", path, got)
				}
				if !strings.Contains(tt.w.log.all(), `"request":"`+got+`"`) {
					t.Errorf("%s: no line of the log has %q", path, got)
				}
			}
		})
	}
}

func TestRequestIDReachesTheRuntime(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	var seen []string
	w.faults.set(func(f *faults) { f.named = func(id string) { seen = append(seen, id) } })
	voter := w.browser()
	page := voter.open("/ballots/" + b.ID)
	want := []string{page.header.Get("X-Request-Id")}
	want = append(want, w.get("/api/v1/ballots/"+b.ID).header.Get("X-Request-Id"))
	want = append(want, w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1")).want(t, http.StatusCreated).header.Get("X-Request-Id"))
	w.faults.set(func(f *faults) { f.named = nil })
	for _, id := range want {
		if id == "" || !strings.Contains(strings.Join(seen, " "), id) {
			t.Errorf("the runtime heard of %q, want %q among them", seen, id)
		}
	}
}

// brokenWriter is an answer to a peer who has left.
type brokenWriter struct {
	header http.Header
	peer   string
}

func (w brokenWriter) Header() http.Header { return w.header }
func (w brokenWriter) WriteHeader(int)     {}
func (w brokenWriter) Write([]byte) (int, error) {
	return 0, fmt.Errorf("write tcp 127.0.0.1:8080->%s: broken pipe", w.peer)
}

func TestErrorsOfTheNetworkNameNoPeer(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	r := httptest.NewRequest(http.MethodGet, "/api/v1/ballots/"+b.ID, nil)
	r.RemoteAddr = "[2001:db8::7]:4711"
	w.server.ServeHTTP(brokenWriter{http.Header{}, r.RemoteAddr}, r)
	if log := w.log.all(); !strings.Contains(log, "8080->a peer: broken pipe") || strings.Contains(log, "2001:db8") {
		t.Errorf("logged:\n%s", log)
	}
}
