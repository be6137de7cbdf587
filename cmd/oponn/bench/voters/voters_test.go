package voters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// counter is a connection to a server that answers by a function.
type counter struct {
	answer func(n int, request *wire.Request) (wire.Response, error)

	mu   sync.Mutex
	n    int
	seen []string // vote ids
}

// Exchange implements wire.Conn.
func (c *counter) Exchange(request *wire.Request, response *wire.Response) (err error) {
	c.mu.Lock()
	n := c.n
	c.n++
	for _, f := range request.Fields {
		if f.Name == "Idempotency-Key" {
			c.seen = append(c.seen, string(f.Value))
		}
	}
	c.mu.Unlock()
	*response, err = c.answer(n, request)
	return err
}

// Close implements wire.Conn.
func (*counter) Close() {}

func created(version int) (wire.Response, error) {
	return wire.Response{Status: 201, Body: fmt.Appendf(nil, `{"receipt":"r","version":%d,"at":"now"}`, version)}, nil
}

// sequence hands out tokens.
type sequence struct{}

// Try implements Tokens.
func (sequence) Try() (string, bool) { return "token", true }

// Token implements Tokens.
func (sequence) Token(context.Context) (string, error) { return "token", nil }

// bubbleWaiter waits by the time of a bubble.
type bubbleWaiter struct{}

// Until implements Waiter.
func (bubbleWaiter) Until(at int64) {
	wait := time.Duration(at - bubbleNow())
	time.Sleep(wait) // virtual time
}

// Close implements Waiter.
func (bubbleWaiter) Close() {}

func bubbleNow() int64 { return time.Now().UnixNano() }

func plan(c wire.Conn) Config {
	return Config{
		Ballots: []Ballot{{ID: "b", Options: []string{"1", "2"}}}, Connections: 1, Dial: func(int) (wire.Conn, error) { return c, nil },
		Duration: 2 * time.Second, Tokens: sequence{}, Tries: 5, Deadline: 10 * time.Second, Seed: 1, Wait: bubbleWaiter{}, Now: bubbleNow,
	}
}

func run(t *testing.T, c Config) *Result {
	t.Helper()
	load, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := load.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Begun != r.Acknowledged+r.GivenUp+r.Unknown {
		t.Errorf("%d votes begun, %d acknowledged, %d given up, %d unknown", r.Begun, r.Acknowledged, r.GivenUp, r.Unknown)
	}
	return r
}

// longer counts times above a limit.
func longer(h *hdrhistogram.Histogram, limit time.Duration) (n int64) {
	for _, bar := range h.Distribution() {
		if bar.From > limit.Microseconds() {
			n += bar.Count
		}
	}
	return n
}

// TestOpen_CountsTheVotesThatWaited has a server stall for a second, once. A
// hundred votes fall due meanwhile. Half of them have to wait for half a second
// or more, and no other; a tester that only times what it sends would see one.
func TestOpen_CountsTheVotesThatWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &counter{answer: func(n int, _ *wire.Request) (wire.Response, error) {
			if n == 50 {
				time.Sleep(time.Second) // virtual time
			}
			return created(n + 1)
		}}
		c := plan(server)
		c.Rate = 100
		r := run(t, c)
		if r.Acknowledged != 200 {
			t.Errorf("%d votes, want 200", r.Acknowledged)
		}
		if n := longer(r.Acknowledgement, 495*time.Millisecond); n != 51 {
			t.Errorf("%d votes took half a second or more, want 51", n)
		}
		if n := longer(r.Acknowledgement, 5*time.Millisecond); n != 100 {
			t.Errorf("%d votes waited, want 100", n)
		}
		if r.Late.Max() > 1000 {
			t.Errorf("the tester was late by %d µs; the server was", r.Late.Max())
		}
	})
}

// TestOpen_EndsWithAServerThatCannotKeepUp wants every vote that was due
// accounted for, and an end.
func TestOpen_EndsWithAServerThatCannotKeepUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &counter{answer: func(n int, _ *wire.Request) (wire.Response, error) {
			time.Sleep(100 * time.Millisecond) // virtual time
			return created(n + 1)
		}}
		c := plan(server)
		c.Rate, c.Deadline = 1000, time.Second
		begin := time.Now()
		r := run(t, c)
		if took := time.Since(begin); took > c.Duration+c.Deadline+200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if r.Begun != 2000 || r.Acknowledged != int64(server.n) || r.Refused["overdue, not sent"] != r.GivenUp {
			t.Errorf("%d begun, %d acknowledged of %d, %d given up: %v", r.Begun, r.Acknowledged, server.n, r.GivenUp, r.Refused)
		}
	})
}

func TestSchedule_GrowsDuringTheRamp(t *testing.T) {
	t.Parallel()
	s := schedule{rate: 100, ramp: 4 * time.Second}
	perSecond := make([]int, 6)
	last := time.Duration(-1)
	for at := s.next(); at < 6*time.Second; at = s.next() {
		if at < last {
			t.Fatalf("an arrival at %v after one at %v", at, last)
		}
		last = at
		perSecond[at/time.Second]++
	}
	for second, want := range []int{13, 37, 63, 87, 100, 100} {
		if n := perSecond[second]; n < want-1 || n > want+1 {
			t.Errorf("%d arrivals in second %d, want %d", n, second, want)
		}
	}
}

// TestRetries_AreThoseOfAGoodClient sends the same vote id until it is
// acknowledged, and not before it was told to; its time counts to the end.
func TestRetries_AreThoseOfAGoodClient(t *testing.T) {
	t.Parallel()
	for name, rate := range map[string]float64{"Closed": 0, "Open": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				server := &counter{answer: func(n int, _ *wire.Request) (wire.Response, error) {
					at = append(at, time.Now())
					switch n {
					case 0:
						return wire.Response{Status: 503, RetryAfter: time.Second, Body: []byte(`{"code":"busy"}`)}, nil
					case 1:
						return wire.Response{}, errors.New("reset")
					case 2:
						return wire.Response{Status: 429, Body: []byte(`{"code":"rate_limited"}`)}, nil
					default:
						return created(1)
					}
				}}
				c := plan(server)
				c.Rate, c.Votes = rate, 1
				r := run(t, c)
				if r.Acknowledged != 1 || r.Attempts != 4 || r.Retries != 3 {
					t.Fatalf("%d acknowledged, %d attempts, %d retries", r.Acknowledged, r.Attempts, r.Retries)
				}
				if ids := slices.Compact(server.seen); len(ids) != 1 || len(ids[0]) != 36 {
					t.Errorf("vote ids %q, want one and the same", ids)
				}
				if pause := at[1].Sub(at[0]); pause < time.Second || pause > 1600*time.Millisecond {
					t.Errorf("sent again after %v, told one second", pause)
				}
				if took := time.Duration(r.Acknowledgement.Max()) * time.Microsecond; took < at[3].Sub(at[0])*99/100 {
					t.Errorf("it took %v, want %v", took, at[3].Sub(at[0]))
				}
				want := map[string]int64{"503 busy": 1, "broken connection": 1, "429 rate_limited": 1}
				if fmt.Sprint(r.Refused) != fmt.Sprint(want) {
					t.Errorf("refused %v, want %v", r.Refused, want)
				}
			})
		})
	}
}

// TestVotes_EndAsWhatIsKnownOfThem tells what was refused from what may have
// been counted.
func TestVotes_EndAsWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer   wire.Response
		err      error
		unknown  bool
		attempts int64
	}{
		"Busy":    {answer: wire.Response{Status: 503, Body: []byte(`{"code":"busy"}`)}, attempts: 3},
		"Unknown": {answer: wire.Response{Status: 503, Body: []byte(`{"code":"outcome_unknown"}`)}, unknown: true, attempts: 3},
		"Closed":  {answer: wire.Response{Status: 409, Body: []byte(`{"code":"closed"}`)}, attempts: 1},
		"Crashed": {answer: wire.Response{Status: 500}, unknown: true, attempts: 1},
		"Broken":  {err: errors.New("reset"), unknown: true, attempts: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := plan(&counter{answer: func(int, *wire.Request) (wire.Response, error) { return test.answer, test.err }})
				c.Votes, c.Tries = 1, 3
				r := run(t, c)
				if (r.Unknown == 1) != test.unknown || (r.GivenUp == 1) == test.unknown || r.Attempts != test.attempts {
					t.Errorf("%d unknown, %d given up, %d attempts", r.Unknown, r.GivenUp, r.Attempts)
				}
			})
		})
	}
}

// TestForm_VotesLikeABrowser gets the page for the cookie and the vote's id.
func TestForm_VotesLikeABrowser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const id = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
		server := &counter{answer: func(n int, r *wire.Request) (wire.Response, error) {
			if r.Method == http.MethodGet && r.Path == "/ballots/b" {
				time.Sleep(time.Second) // virtual time
				return wire.Response{Status: 200, Cookie: []byte("voter=x"), Body: []byte(`<input name="vote_id" value="` + id + `"/>`)}, nil
			}
			time.Sleep(100 * time.Millisecond) // virtual time
			if r.Path != "/ballots/b/votes" || string(r.Fields[0].Value) != "voter=x" || string(r.Body[len("choice=1"):]) != "&vote_id="+id {
				return wire.Response{Status: 400}, nil
			}
			return wire.Response{Status: 303, Location: []byte("/ballots/b/results?after=17")}, nil
		}}
		c := plan(server)
		c.Form, c.Votes = true, 2
		r := run(t, c)
		if r.Acknowledged != 2 || r.Versions[0] != 17 || r.Page.TotalCount() != 2 {
			t.Fatalf("%d acknowledged at version %d, %d pages, refused %v", r.Acknowledged, r.Versions[0], r.Page.TotalCount(), r.Refused)
		}
		if took := time.Duration(r.Acknowledgement.Max()) * time.Microsecond; took > 101*time.Millisecond {
			t.Errorf("a vote took %v; its page is no part of that", took)
		}
	})
}

func TestRepeats_WantTheSameAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := plan(&counter{answer: func(n int, _ *wire.Request) (wire.Response, error) {
			if n == 3 { // the second vote's repeat
				return created(99)
			}
			return created(n/2 + 1)
		}})
		c.Votes, c.Repeats = 5, 1
		if r := run(t, c); r.Repeats != 5 || r.RepeatsWrong != 1 {
			t.Errorf("%d repeats, %d wrong; want 5 and 1", r.Repeats, r.RepeatsWrong)
		}
	})
}

func TestSamples_StandForAll(t *testing.T) {
	t.Parallel()
	s := newSamples(1)
	s.most = 100
	const n = 12_345
	for i := range n {
		s.add(sample{Version: uint64(i)})
	}
	if len(s.kept) > 100 || len(s.kept)*s.stride < n*9/10 || len(s.kept)*s.stride > n*11/10 {
		t.Errorf("%d samples, each standing for %d, of %d", len(s.kept), s.stride, n)
	}
	for i, v := range s.kept {
		if v.Version != uint64(i*s.stride) {
			t.Fatalf("sample %d is vote %d, each stands for %d", i, v.Version, s.stride)
		}
	}
}

// TestVoter_AllocatesNothing votes over and over: what is left are histograms
// and series that grow now and then.
func TestVoter_AllocatesNothing(t *testing.T) {
	body := []byte(`{"receipt":"r","version":7,"at":"now"}`)
	c := plan(&fixed{wire.Response{Status: 201, Body: body}})
	load, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	load.notes.start(bubbleNow())
	v := newVoter(load, 0, &fixed{wire.Response{Status: 201, Body: body}})
	ctx := context.Background()
	vote := func() {
		if !v.prepare(ctx) {
			t.Fatal("no vote")
		}
		v.seeThrough(ctx)
	}
	vote()
	if allocs := testing.AllocsPerRun(1000, vote); allocs != 0 {
		t.Errorf("%v allocations a vote, want none", allocs)
	}
}

func BenchmarkVoter_Vote(b *testing.B) {
	response := wire.Response{Status: 201, Body: []byte(`{"receipt":"r","version":7,"at":"now"}`)}
	c := plan(&fixed{response})
	c.Now = monotonic.Now
	load, err := Start(c)
	if err != nil {
		b.Fatal(err)
	}
	load.notes.start(c.Now())
	v := newVoter(load, 0, &fixed{response})
	b.ReportAllocs()
	for b.Loop() {
		if v.prepare(b.Context()) {
			v.seeThrough(b.Context())
		}
	}
}

// fixed is a server that always answers the same.
type fixed struct{ response wire.Response }

// Exchange implements wire.Conn.
func (f *fixed) Exchange(_ *wire.Request, response *wire.Response) error {
	*response = f.response
	return nil
}

// Close implements wire.Conn.
func (*fixed) Close() {}
