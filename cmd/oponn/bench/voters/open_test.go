package voters

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// bothWays runs a test of an open loop with goroutines and, where there is one,
// with a loop in one goroutine.
func bothWays(t *testing.T, test func(t *testing.T, wait func() Waiter)) {
	t.Helper()
	for name, wait := range map[string]func() Waiter{"Goroutines": newWaiter, "One": func() Waiter { return nil }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, wait)
		})
	}
}

// server answers votes on real connections.
type server struct {
	target *url.URL
	// answer gets the number of the request and says what to do.
	answer func(n int) answer

	done chan struct{}

	mu   sync.Mutex
	seen seen
}

// seen is what has come to a server.
type seen struct {
	requests, votes, connections int
	ids                          map[string]bool
}

// answer is what a server sends, when, and whether it closes the connection
// then.
type answer struct {
	text  string
	stall <-chan time.Time
	close bool
}

func says(status int, head, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), head, len(body), body)
}

// counted is an acknowledgement.
func counted(n int) answer {
	return answer{text: says(201, "", fmt.Sprintf(`{"receipt":"r","version":%d}`, n+1))}
}

func serve(t testing.TB, f func(n int) answer) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{target: &url.URL{Scheme: "http", Host: l.Addr().String()}, answer: f, done: make(chan struct{}), seen: seen{ids: map[string]bool{}}}
	t.Cleanup(func() { _ = l.Close(); close(s.done) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.seen.connections++
			s.mu.Unlock()
			go s.talk(c)
		}
	}()
	return s
}

func (s *server) talk(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		n := s.seen.requests
		s.seen.requests++
		s.seen.ids[r.Header.Get("Idempotency-Key")] = true
		s.mu.Unlock()
		a := s.answer(n)
		if a.stall != nil {
			select {
			case <-a.stall:
			case <-s.done:
			}
		}
		if _, err := io.WriteString(c, a.text); err != nil || a.close {
			return
		}
	}
}

// came says what has come so far.
func (s *server) came() seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.seen
	c.votes = len(c.ids)
	return c
}

// openPlan is an open loop against servers.
func openPlan(t testing.TB, wait Waiter, patience time.Duration, servers ...*server) Config {
	t.Helper()
	watching, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	watch := wire.StartWatchdog(watching, min(patience/20, 10*time.Millisecond))
	return Config{
		Ballots: []Ballot{{ID: "b", Options: []string{"1", "2"}}, {ID: "c", Options: []string{"1"}}}, HotShare: 0.5, Connections: 8,
		Dial: func(i int) (wire.Conn, error) {
			d := wire.Dialer{Target: servers[i%len(servers)].target, Patience: patience, Watch: watch}
			return d.New(watching)
		},
		Rate: 1000, Duration: time.Minute, Tokens: sequence{}, Tries: 5, Deadline: time.Minute, Seed: 1, Wait: wait, Now: monotonic.Now,
	}
}

const patient = 30 * time.Second

func TestOpen_CastsWhatTheScheduleSays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		one, two := serve(t, counted), serve(t, counted)
		c := openPlan(t, wait(), patient, one, two)
		c.Duration, c.Ramp, c.Rate = 300*time.Millisecond, 100*time.Millisecond, 2000
		r := run(t, c)
		const want = 500 // 100 while the rate grows
		if r.Acknowledged != want || r.Attempts != want || r.Late.TotalCount() != want || r.Acknowledgement.TotalCount() != want || len(r.Samples) != want {
			t.Errorf("%d acknowledged after %d attempts, %d latencies, %d samples", r.Acknowledged, r.Attempts, r.Acknowledgement.TotalCount(), len(r.Samples))
		}
		a, b := one.came(), two.came()
		if a.votes+b.votes != want || a.votes == 0 || b.votes == 0 || a.connections+b.connections > c.Connections {
			t.Errorf("%d votes by %d connections and %d by %d, want %d by %d", a.votes, a.connections, b.votes, b.connections, want, c.Connections)
		}
		hot, cold := r.Options[0][0].Acknowledged+r.Options[0][1].Acknowledged, r.Options[1][0].Acknowledged
		if hot+cold != want || hot == 0 || cold == 0 {
			t.Errorf("%d votes on one ballot, %d on the other", hot, cold)
		}
	})
}

// TestOpen_ManyAtOnce is at a rate where votes are sent and answers taken in
// heaps.
func TestOpen_ManyAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, counted)
	c := openPlan(t, nil, patient, s)
	c.Duration, c.Rate, c.Connections = 200*time.Millisecond, 10_000, 100
	if r := run(t, c); r.Acknowledged != 2000 || r.Attempts != 2000 || s.came().votes != 2000 || r.Acknowledgement.TotalCount() != 2000 {
		t.Errorf("%d acknowledged after %d attempts, %d came", r.Acknowledged, r.Attempts, s.came().votes)
	}
}

func TestOpen_EndsWithTheNumberOfVotes(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		s := serve(t, counted)
		c := openPlan(t, wait(), patient, s)
		c.Votes = 50
		if r := run(t, c); r.Acknowledged != 50 || s.came().votes != 50 {
			t.Errorf("%d acknowledged, %d came", r.Acknowledged, s.came().votes)
		}
	})
}

// TestOpen_CountsTheWaitForARealServer has a server stall once. At least those
// due in the first half of the stall have to have waited for the second.
func TestOpen_CountsTheWaitForARealServer(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		const stall = 300 * time.Millisecond
		s := serve(t, func(n int) answer {
			a := counted(n)
			if n == 50 {
				a.stall = time.After(stall)
			}
			return a
		})
		c := openPlan(t, wait(), patient, s)
		c.Connections, c.Votes = 1, 500
		r := run(t, c)
		if n := longer(r.Acknowledgement, stall/2); r.Acknowledged != 500 || n < 149 {
			t.Errorf("%d acknowledged, %d waited for half of the stall, want 150 or more", r.Acknowledged, n)
		}
	})
}

// TestOpen_DropsWhatIsOverdue has a server hold a vote for longer than the
// others may wait.
func TestOpen_DropsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		s := serve(t, func(n int) answer {
			a := counted(n)
			if n == 0 {
				a.stall = time.After(300 * time.Millisecond)
			}
			return a
		})
		c := openPlan(t, wait(), patient, s)
		c.Connections, c.Votes, c.Deadline = 1, 100, 100*time.Millisecond
		r := run(t, c)
		if n := r.Refused["overdue, not sent"]; r.Begun != 100 || n < 99 || r.GivenUp != n || r.Acknowledged != int64(s.came().requests) {
			t.Errorf("%d begun, %d acknowledged of %d, refused %v", r.Begun, r.Acknowledged, s.came().requests, r.Refused)
		}
		if n := r.Refusal.TotalCount(); n > 0 {
			t.Errorf("%d refusals have a time, though the server refused nothing", n)
		}
	})
}

// TestOpen_EveryAnswerHasItsConsequence sends votes again where a good client
// does, by a new connection where the old one is of no use.
func TestOpen_EveryAnswerHasItsConsequence(t *testing.T) {
	t.Parallel()
	half := answer{text: says(201, "", `{"version":7}`)[:40], close: true}
	for name, test := range map[string]struct {
		first       answer // to the first attempt
		patience    time.Duration
		tries       int
		refused     string
		least       time.Duration
		unknown     int64
		givenUp     int64
		connections int
	}{
		"Busy":       {first: answer{text: says(503, "Retry-After: 1\r\n", `{"code":"busy"}`)}, tries: 2, refused: "503 busy", least: time.Second, connections: 1},
		"Limited":    {first: answer{text: says(429, "", `{"code":"rate_limited"}`)}, tries: 2, refused: "429 rate_limited", least: leastBackoff, connections: 1},
		"Broken":     {first: half, tries: 2, refused: "broken connection", least: leastBackoff, connections: 2},
		"Silent":     {first: answer{stall: make(chan time.Time)}, patience: 200 * time.Millisecond, tries: 2, refused: "no answer in time", least: 200 * time.Millisecond, connections: 2},
		"NoAnswer":   {first: answer{text: "SSH-2.0-OpenSSH_9.2p1\r\n\r\n"}, tries: 2, refused: "broken connection", connections: 2},
		"Closed":     {first: answer{text: says(409, "", `{"code":"closed"}`)}, tries: 2, refused: "409 closed", givenUp: 1, connections: 1},
		"Crashed":    {first: answer{text: says(500, "", "")}, tries: 2, refused: "500", unknown: 1, connections: 1},
		"LastBroken": {first: half, tries: 1, refused: "broken connection", unknown: 1, connections: 1},
		"LastBusy":   {first: answer{text: says(503, "", `{"code":"busy"}`)}, tries: 1, refused: "503 busy", givenUp: 1, connections: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, wait func() Waiter) {
				s := serve(t, func(n int) answer {
					if n == 0 {
						return test.first
					}
					return counted(n)
				})
				c := openPlan(t, wait(), cmp.Or(test.patience, patient), s)
				c.Connections, c.Votes, c.Tries = 1, 1, test.tries
				r := run(t, c)
				came := s.came()
				if r.Unknown != test.unknown || r.GivenUp != test.givenUp || r.Begun != 1 || r.Attempts != int64(came.requests) || came.votes != 1 {
					t.Errorf("%d acknowledged, %d unknown, %d given up, %d attempts, %d requests", r.Acknowledged, r.Unknown, r.GivenUp, r.Attempts, came.requests)
				}
				if r.Refused[test.refused] != 1 || len(r.Refused) != 1 || came.connections != test.connections {
					t.Errorf("refused %v, want %s; %d connections, want %d", r.Refused, test.refused, came.connections, test.connections)
				}
				if took := time.Duration(r.Acknowledgement.Max()) * time.Microsecond; r.Acknowledged == 1 && took < test.least*99/100 {
					t.Errorf("acknowledged after %v, want %v or more", took, test.least)
				}
			})
		})
	}
}

// TestOpen_ConnectsAgain has a server close after each answer, as it said.
func TestOpen_ConnectsAgain(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		s := serve(t, func(int) answer {
			return answer{text: says(201, "Connection: close\r\n", `{"version":1}`), close: true}
		})
		c := openPlan(t, wait(), patient, s)
		c.Votes = 100
		if r := run(t, c); r.Acknowledged != 100 || r.Attempts != 100 || s.came().connections != 100 {
			t.Errorf("%d acknowledged after %d attempts by %d connections, refused %v", r.Acknowledged, r.Attempts, s.came().connections, r.Refused)
		}
	})
}

// TestOpen_SurvivesAServerThatCloses has it close without a word: each vote gets
// through in the end.
func TestOpen_SurvivesAServerThatCloses(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		s := serve(t, func(n int) answer { a := counted(n); a.close = n%3 == 0; return a })
		c := openPlan(t, wait(), patient, s)
		c.Votes, c.Tries = 100, 100
		if r := run(t, c); r.Acknowledged != 100 || s.came().votes != 100 {
			t.Errorf("%d acknowledged of %d, refused %v", r.Acknowledged, s.came().votes, r.Refused)
		}
	})
}

func TestOpen_NobodyListens(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		c := openPlan(t, wait(), patient, &server{target: &url.URL{Scheme: "http", Host: l.Addr().String()}})
		c.Votes, c.Tries = 10, 2
		if r := run(t, c); r.GivenUp != 10 || r.Refused["no connection"] != 20 {
			t.Errorf("%d given up, %d unknown, refused %v", r.GivenUp, r.Unknown, r.Refused)
		}
	})
}

// TestOpen_EndsWithItsContext leaves what is under way unknown.
func TestOpen_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(n int) answer {
			if n == 7 { // all connections wait
				cancel()
			}
			return answer{stall: make(chan time.Time)}
		})
		c := openPlan(t, wait(), patient, s)
		watch := wire.StartWatchdog(ctx, time.Minute)
		c.Dial = func(int) (wire.Conn, error) {
			d := wire.Dialer{Target: s.target, Patience: patient, Watch: watch}
			return d.New(ctx)
		}
		load, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		r, err := load.Run(ctx)
		if err != nil || r.Unknown != 8 || r.Acknowledged != 0 || r.Refused["the test was ended"] < 8 {
			t.Errorf("%d unknown, %d given up, refused %v, %v", r.Unknown, r.GivenUp, r.Refused, err)
		}
	})
}

// scarce are tokens that have to be waited for.
type scarce struct {
	least chan struct{} // receives when somebody waits
	come  chan string
}

// Token implements Tokens.
func (s scarce) Token(ctx context.Context) (string, error) {
	select {
	case s.least <- struct{}{}:
	default:
	}
	select {
	case token, ok := <-s.come:
		if !ok {
			return "", errors.New("no more")
		}
		return token, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Try implements Tokens.
func (scarce) Try() (string, bool) { return "", false }

// TestOpen_WaitsForTokens has votes wait for tokens that come late, or don't.
func TestOpen_WaitsForTokens(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, wait func() Waiter) {
		s := serve(t, counted)
		c := openPlan(t, wait(), patient, s)
		tokens := scarce{least: make(chan struct{}), come: make(chan string)}
		c.Tokens, c.Votes = tokens, 30
		go func() {
			<-tokens.least
			for range 20 {
				tokens.come <- "token"
			}
			close(tokens.come)
		}()
		if r := run(t, c); r.Acknowledged != 20 || r.GivenUp != 10 || r.Refused["no voter token"] != 10 {
			t.Errorf("%d acknowledged, %d given up, refused %v", r.Acknowledged, r.GivenUp, r.Refused)
		}
	})
}
