package main_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/keys/kmstest"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// TestCluster_PostgresGoesAway crashes the database in the middle of a load
// and brings it back. Nobody starts the instances again.
func TestCluster_PostgresGoesAway(t *testing.T) {
	c := newCluster(t)
	postgres := pgtest.NewServer(t)
	c.database = postgres.URL()
	a, b := c.serve(t), c.serve(t)
	ballots := []string{createBallot(t, a, "Stored?", "yes", "no"), createBallot(t, b, "Kept?", "yes", "no")}
	watched := createBallot(t, a, "Watched?", "yes", "no")
	near, far := startViewer(t, a, watched), startViewer(t, b, watched)
	near.await(t, 1)
	far.await(t, 1)
	l := startLoad(t, spread(a, b), ballots...)
	l.more(t, 200)
	postgres.Crash(t)
	eventually(t, "voters are told to come later", func() bool { return l.got("503 store_unavailable") >= 20 })
	for _, s := range []*server{a, b} {
		wantReady(t, s, http.StatusServiceUnavailable, "unready")
		r := ask(http.MethodPost, s.url+"/api/v1/ballots", nil, map[string]any{"question": "Now?", "options": []string{"yes", "no"}})
		if r.status != http.StatusServiceUnavailable || r.retryAfter == "" {
			t.Errorf("creating without a database got %s, Retry-After %q", r, r.retryAfter)
		}
	}
	postgres.Start(t)
	back := time.Now()
	l.more(t, 300)
	t.Logf("300 votes %v after the database was back", time.Since(back).Round(time.Millisecond))
	for _, s := range []*server{a, b} {
		wantReady(t, s, http.StatusOK, "ready")
	}
	l.wantAllCounted(t, c, a)
	if n := l.answers["no answer"]; n > 0 {
		t.Errorf("%d requests got no answer", n)
	}
	wantLag(t, "with the database back", lag(t, a, watched, 5, near, far), time.Second)
	wantGoodEnd(t, a, b)
}

// TestCluster_RedisGoesAway cuts the connections to Redis, stops it and brings
// it back, in the middle of a load: votes don't notice, and viewers hardly.
func TestCluster_RedisGoesAway(t *testing.T) {
	c := newCluster(t)
	redis := redistest.Start(t)
	c.redis = redis.URL
	a, b := c.serve(t), c.serve(t)
	ballots := []string{createBallot(t, a, "Told?", "yes", "no"), createBallot(t, a, "Watched?", "yes", "no")}
	near, far := startViewer(t, a, ballots[1]), startViewer(t, b, ballots[1])
	near.await(t, 1)
	far.await(t, 1)
	l := startLoad(t, spread(a, b), ballots[0])
	look := func(when string, remote time.Duration) {
		t.Helper()
		wantLag(t, when+", by a viewer here", lag(t, a, ballots[1], 5, near), 500*time.Millisecond)
		wantLag(t, when+", by a viewer there", lag(t, a, ballots[1], 5, far), remote)
	}
	look("with Redis", time.Second)
	admin := redistest.Client(t, redis.URL)
	for _, kind := range []string{"normal", "pubsub"} {
		if err := admin.ClientKillByFilter(t.Context(), "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
	}
	look("with connections killed", 2*time.Second)
	redis.Stop(t)
	for _, s := range []*server{a, b} {
		wantReady(t, s, http.StatusOK, "degraded")
	}
	look("without Redis", 2*time.Second)
	redis.Start(t)
	for _, s := range []*server{a, b} {
		wantReady(t, s, http.StatusOK, "ready")
	}
	look("with Redis again", time.Second)
	l.wantAllCounted(t, c, b)
	if l.answers["201"] != len(l.votes) {
		t.Errorf("of %d votes some failed: %v", len(l.votes), l.answers)
	}
	wantGoodEnd(t, a, b)
}

// TestCluster_KMSGoesAway takes the master key away, in four ways.
func TestCluster_KMSGoesAway(t *testing.T) {
	c := newCluster(t)
	a := c.serve(t)
	awake, asleep := createBallot(t, a, "Awake?", "yes", "no"), createBallot(t, a, "Asleep?", "yes", "no")
	castVotes(t, a, awake, 3)
	castVotes(t, a, asleep, 3)
	b := c.serve(t) // has opened neither
	castVotes(t, b, awake, 3)
	l := startLoad(t, spread(a, b), awake)
	l.more(t, 20)
	tokens, _ := newTokens(b, 1)
	cold := newVote(asleep, tokens[0], "1")
	create := func(s *server) reply {
		return ask(http.MethodPost, s.url+"/api/v1/ballots", nil, map[string]any{"question": "New?", "options": []string{"yes", "no"}})
	}
	for _, fault := range []struct {
		name  string
		fault kmstest.Fault
		want  string // what creating and cold ballots get
	}{
		{"Down", kmstest.Down, "503 keys_unavailable"},
		{"Slow", kmstest.Fault{Delay: time.Minute}, "503 keys_unavailable"},
		{"Throttled", kmstest.Throttled, "503 keys_unavailable"},
		{"Denied", kmstest.Denied, "503 keys_unavailable"},
	} {
		c.kms.Fail(fault.fault)
		for n := range 4 {
			for what, r := range map[string]reply{"creating": create(a), "a cold ballot": cold.cast(b), "a cold result": ask(http.MethodGet, b.url+"/api/v1/ballots/"+asleep+"/results", nil, nil)} {
				if r.String() != fault.want || r.retryAfter == "" {
					t.Errorf("%s: %s got %s, Retry-After %q; want %q", fault.name, what, r, r.retryAfter, fault.want)
				}
				if n == 0 {
					t.Logf("%s: %s got %s, Retry-After %q", fault.name, what, r, r.retryAfter)
				}
			}
		}
		for _, s := range []*server{a, b} {
			wantReady(t, s, http.StatusOK, "degraded")
		}
		l.more(t, 50)
		c.kms.Heal()
		eventually(t, fault.name+": creating works again", func() bool { return create(a).status == http.StatusCreated })
		for _, s := range []*server{a, b} {
			wantReady(t, s, http.StatusOK, "ready")
		}
	}
	eventually(t, "the cold ballot is open again", func() bool { return cold.cast(b).acknowledged() })
	if votes, counted := results(t, b, asleep); votes != 4 || counted != 4 {
		t.Errorf("%d votes and a sum of %d, want 4", votes, counted)
	}
	l.end()
	if l.answers["201"] != len(l.votes) {
		t.Errorf("of %d votes on a ballot that was awake some failed: %v", len(l.votes), l.answers)
	}
	t.Logf("%d votes while KMS came and went: %v", len(l.votes), l.answers)
	wantGoodEnd(t, a, b)
	c.mustVerify(t)
}
