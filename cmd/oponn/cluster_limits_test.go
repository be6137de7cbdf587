package main_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/oponn/oponn/actors/bus/redistest"
)

// TestCluster_LimitsAreShared spends an address's reports on one instance, and
// sees that it has none left on another. Without Redis each counts for itself:
// what is said then depends on nobody's being there.
func TestCluster_LimitsAreShared(t *testing.T) {
	c := newCluster(t)
	redis := redistest.Start(t)
	c.redis = redis.URL
	a, b := c.serve(t, "OPONN_RATE_LIMITS=on"), c.serve(t, "OPONN_RATE_LIMITS=on")
	ballot := createBallot(t, a, "Reported?", "yes", "no")
	wantReports := func(s *server, when string, fine int) {
		t.Helper()
		for n := range fine {
			if got := reportBallot(t, s, ballot); got != http.StatusSeeOther {
				t.Errorf("%s, report %d: %d", when, n+1, got)
			}
		}
		if got := reportBallot(t, s, ballot); got != http.StatusTooManyRequests {
			t.Errorf("%s, one too many: %d", when, got)
		}
	}
	for range 3 {
		if got := reportBallot(t, a, ballot); got != http.StatusSeeOther {
			t.Fatalf("a report is answered by %d", got)
		}
	}
	wantReports(b, "after three elsewhere", 2)
	wantReports(a, "after that", 0)
	client := redistest.Client(t, redis.URL)
	names, err := client.Keys(t.Context(), "oponn:limit:*").Result()
	if err != nil || len(names) == 0 {
		t.Fatalf("Redis has %v: %v", names, err)
	}
	for _, name := range names {
		value, err := client.Get(t.Context(), name).Result()
		if err != nil || strings.Contains(name+value, "127.0.0.1") || client.TTL(t.Context(), name).Val() <= 0 {
			t.Errorf("Redis keeps %s = %s, %v", name, value, err)
		}
	}
	redis.Stop(t)
	wantReports(b, "without Redis", 5)
	wantReports(a, "without Redis, on the other", 5)
	wantGoodEnd(t, a, b)
}

// reportBallot reports a ballot from this machine's address.
func reportBallot(t *testing.T, s *server, ballot string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+"/ballots/"+ballot+"/report", strings.NewReader("reason=spam"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
