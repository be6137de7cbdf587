package http_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/limit"
)

// keepOpen opens a stream and reads its first event.
func (w *world) keepOpen(path string, headers ...string) {
	w.t.Helper()
	l := w.listen(path, headers...)
	if m, ok := l.next(); !ok || m.name != "" && m.name != "beat" && m.name != "tally" {
		w.t.Errorf("the stream says %+v", m)
	}
}

// proxied is a limited service behind a proxy that tells the clients' addresses.
func proxied(t *testing.T, limiter func(limit.Budget) limit.Limiter) *world {
	t.Helper()
	return start(t, tuning{http: func(c *oponnhttp.Config) {
		c.RateLimits, c.Limiter = true, limiter
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}})
}

// until sends requests until one is refused, and returns how many were not.
func until(t *testing.T, most int, send func() reply) (taken int, refused reply) {
	t.Helper()
	for taken = range most {
		if refused = send(); refused.status == http.StatusTooManyRequests {
			return taken, refused
		}
	}
	t.Fatalf("%d requests were taken, the last one with %d", most, refused.status)
	return 0, reply{}
}

// wantHeld checks that a refusal says when to come back.
func wantHeld(t *testing.T, r reply, most time.Duration) {
	t.Helper()
	if seconds, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || seconds < 1 || time.Duration(seconds)*time.Second > most {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
}

func TestLimits_Ballots(t *testing.T) {
	w := proxied(t, nil)
	body := `{"question":"Tea or coffee?","options":["tea","coffee"]}`
	from := func(address string) func() reply {
		return func() reply { return w.send(http.MethodPost, "/api/v1/ballots", body, "X-Forwarded-For", address) }
	}
	taken, refused := until(t, 2000, from("203.0.113.1"))
	if wantProblem(t, refused, http.StatusTooManyRequests, "rate_limited"); taken < 600 {
		t.Errorf("only %d were made", taken)
	}
	wantHeld(t, refused, 20*time.Second)
	guest := w.browser()
	guest.header = head("X-Forwarded-For", "203.0.113.1")
	p := guest.submit("/ballots", fields("question", "Tea or coffee?", "options", "tea", "options", "coffee")).want(t, http.StatusTooManyRequests)
	if p.says(t, en("problem.rate_limited.title")); p.value("question") != "Tea or coffee?" {
		t.Error("what was typed is lost")
	}
	wantHeld(t, p.reply, 20*time.Second)
	from("203.0.113.2")().want(t, http.StatusCreated)
	w.send(http.MethodPost, "/api/v1/ballots", `{}`, "X-Forwarded-For", "203.0.113.2").want(t, http.StatusUnprocessableEntity) // costs nothing
}

func TestLimits_WrongCodes(t *testing.T) {
	w := proxied(t, nil)
	b, codes := w.byCode(2)
	vote := func(code oponn.VotingCode, address string) reply {
		return w.send(http.MethodPost, "/api/v1/ballots/"+b.ID+"/votes", map[string]any{"code": code, "choices": []string{"1"}},
			"Idempotency-Key", oponn.NewVoteID().String(), "X-Forwarded-For", address)
	}
	taken, refused := until(t, 3000, func() reply { return vote(oponn.NewVotingCode(), "2001:db8:1:2::9") })
	if wantProblem(t, refused, http.StatusTooManyRequests, "rate_limited"); taken < 1000 {
		t.Errorf("only %d could be tried", taken)
	}
	wantHeld(t, refused, 20*time.Second)
	if got := vote(codes[0], "2001:db8:1:2:3::9"); got.status != http.StatusTooManyRequests { // the same network
		t.Errorf("another address of the network: %d", got.status)
	}
	guest := w.browser()
	guest.header = head("X-Forwarded-For", "2001:db8:1:2::9")
	form := guest.open("/ballots/" + b.ID)
	p := guest.choose("/ballots/"+b.ID, form, "1", "code", string(codes[0])).want(t, http.StatusTooManyRequests).says(t, en("problem.rate_limited.title"))
	if p.value("code") != string(codes[0]) {
		t.Error("the code that was typed is lost")
	}
	vote(codes[0], "2001:db8:1:3::9").want(t, http.StatusCreated)
	// A slip that the check symbol shows costs the store nothing, and nobody else.
	slip := strings.Repeat("0", 13) + "7"
	if p := wantProblem(t, vote(oponn.VotingCode(slip), "2001:db8:1:2::9"), http.StatusForbidden, "code_refused"); p.Detail == "" {
		t.Error("no word about the slip")
	}
}

func TestLimits_RepeatedVotes(t *testing.T) {
	w := limited(t)
	b := w.ballot(teaOrCoffee())
	token, vote := w.token(), oponn.NewVoteID()
	w.cast(b.ID, token, vote, choose("1")).want(t, http.StatusCreated)
	taken, refused := until(t, 3000, func() reply { return w.cast(b.ID, token, vote, choose("1")) })
	if wantProblem(t, refused, http.StatusTooManyRequests, "rate_limited"); taken < 1000 {
		t.Errorf("only %d repeats were answered", taken)
	}
	wantHeld(t, refused, 4*time.Second)
	w.vote(b.ID, "1") // others vote on
}

// frozen is a limiter that has nothing left for some keys.
type frozen struct {
	mu    sync.Mutex
	keys  map[string]bool
	taken map[string]int
	err   error
}

func (f *frozen) Take(_ context.Context, key string, n int) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	if f.keys[key] {
		return time.Minute, nil
	}
	f.taken[key] += n
	return 0, nil
}

func (f *frozen) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *frozen) took(key string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken[key]
}

func (f *frozen) freeze(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[key] = true
}

func (f *frozen) Return(ctx context.Context, key string, n int) error {
	_, err := f.Take(ctx, key, -n)
	return err
}

// TestLimits_Budgets has other limiters keep the budgets: with nothing left for
// one address and one ballot. It sees who is refused what, and what is taken.
func TestLimits_Budgets(t *testing.T) {
	kept := map[string]*frozen{}
	w := proxied(t, func(b limit.Budget) limit.Limiter {
		kept[b.Name] = &frozen{keys: map[string]bool{"203.0.113.1": true}, taken: map[string]int{}}
		return kept[b.Name]
	})
	b, other := w.ballot(teaOrCoffee().with("join_code", true)), w.ballot(teaOrCoffee())
	path, digits := "/ballots/"+b.ID, w.joining(b.ID)
	form := func(path, body, from string) reply {
		return w.do(request{method: http.MethodPost, path: path, header: head("X-Forwarded-For", from,
			"Content-Type", "application/x-www-form-urlencoded"), body: reader(body)})
	}
	for _, tt := range []struct {
		budget string
		units  int
		send   func(from string) reply
	}{
		{"tokens", 3, func(from string) reply {
			return w.send(http.MethodPost, "/api/v1/voters", `{"count":3}`, "X-Forwarded-For", from)
		}},
		{"ballots", 1, func(from string) reply {
			return w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "X-Forwarded-For", from)
		}},
		{"ballots", 1, func(from string) reply { return form("/ballots", "question=Tea%3F&options=yes&options=no", from) }},
		{"joins", 0, func(from string) reply { return w.get("/join?code="+digits, "X-Forwarded-For", from) }},
		{"reports", 1, func(from string) reply { return form(path+"/report", "reason=spam", from) }},
		{"votes", 1, func(from string) reply {
			return w.send(http.MethodPost, "/api/v1/ballots/"+b.ID+"/votes", choose("1"), "X-Forwarded-For", from,
				"Authorization", "Bearer "+w.token(), "Idempotency-Key", oponn.NewVoteID().String())
		}},
		{"votes", 1, func(from string) reply { return form(path+"/votes", "choice=1", from) }},
	} {
		limiter := kept[tt.budget]
		if r := tt.send("203.0.113.1"); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: one who has nothing left gets %d", tt.budget, r.status)
		}
		before := limiter.took("203.0.113.2")
		if r := tt.send("203.0.113.2"); r.status >= http.StatusTooManyRequests {
			t.Errorf("%s: another one gets %d", tt.budget, r.status)
		}
		if got := limiter.took("203.0.113.2") - before; got != tt.units {
			t.Errorf("%s: %d units were taken, want %d", tt.budget, got, tt.units)
		}
		limiter.set(errors.New("it is on fire"))
		if r := tt.send("203.0.113.2"); r.status != http.StatusServiceUnavailable {
			t.Errorf("%s: with its limiter broken: %d", tt.budget, r.status)
		}
		limiter.set(nil)
	}
	wantProblem(t, w.get(apiLive(b), "X-Forwarded-For", "203.0.113.1"), http.StatusTooManyRequests, "rate_limited")
	if m := w.listen(pageLive(b), "X-Forwarded-For", "203.0.113.1").await("busy"); m.retry == "" {
		t.Errorf("a page's stream: %+v", m)
	}
	w.keepOpen(pageLive(b), "X-Forwarded-For", "203.0.113.2")
	if got := kept["streams"].took("203.0.113.2"); got != 1 {
		t.Errorf("a stream took %d units", got)
	}

	id, err := oponn.ParseBallotID(b.ID)
	if err != nil {
		t.Fatal(err)
	}
	kept["changes"].freeze(string(id[:]))
	authorization := "Bearer " + b.OwnerKey
	wantProblem(t, w.send(http.MethodPatch, "/api/v1/ballots/"+b.ID, `{"status":"closed"}`, "Authorization", authorization), http.StatusTooManyRequests, "rate_limited")
	owner := w.browser()
	owner.submit(path+"/manage", fields("owner_key", b.OwnerKey)).want(t, http.StatusOK)
	owner.submit(path+"/manage", fields("action", "close")).want(t, http.StatusTooManyRequests).says(t, en("problem.rate_limited.title"))
	w.close(other)
	if id, err = oponn.ParseBallotID(other.ID); err != nil || kept["changes"].took(string(id[:])) != 1 {
		t.Errorf("a change took %d units, %v", kept["changes"].took(string(id[:])), err)
	}

	var together []string
	for _, b := range []limit.Budget{oponnhttp.TokenBudget, oponnhttp.BallotBudget, oponnhttp.ReportBudget, oponnhttp.JoinBudget, oponnhttp.CodeBudget, oponnhttp.VoteBudget} {
		if b.Shared {
			together = append(together, b.Name)
		}
	}
	if got := strings.Join(together, " "); got != "tokens ballots reports joins codes" {
		t.Errorf("shared are %s", got)
	}
}

func TestLimits_Off(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	token, vote := w.token(), oponn.NewVoteID()
	for i := range 1200 {
		if r := w.cast(b.ID, token, vote, choose("1")); r.status > http.StatusCreated {
			t.Fatalf("repeat %d: %d", i, r.status)
		}
	}
	for range 15 {
		w.send(http.MethodPost, "/api/v1/voters", `{"count":1000}`).want(t, http.StatusCreated)
	}
}
