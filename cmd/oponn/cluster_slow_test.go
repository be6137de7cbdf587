package main_test

import (
	"net/http"
	"testing"
	"time"
)

// TestCluster_PostgresIsSlow delays what passes between an instance and its
// database, holds it back, and resets connections: voters wait, or are told to
// come again, and each vote counts once.
func TestCluster_PostgresIsSlow(t *testing.T) {
	c := newCluster(t)
	p := newPlace(t, c, "one")
	defer p.leave()
	eventually(t, "it is ready", func() bool { return p.ready(t) })
	s := p.now()
	ballot := createBallot(t, s, "Slow?", "yes", "no")
	near := startViewer(t, s, ballot)
	near.await(t, 1)
	tokens, _ := newTokens(s, 20)
	next := func() *vote {
		v := newVote(ballot, tokens[0], "1")
		tokens = tokens[1:]
		return v
	}

	p.postgres.poison(t, "latency", answers, "latency", 200)
	if r := next().cast(s); r.status != http.StatusCreated {
		t.Errorf("slowly, a vote got %s", r)
	}
	p.postgres.mend(t)

	p.postgres.poison(t, "timeout", answers, "timeout", 0) // nothing comes back
	held := next()
	begin := time.Now()
	if r := held.cast(s); r.status != http.StatusServiceUnavailable || r.retryAfter == "" {
		t.Errorf("without an answer from the database, a vote got %s, Retry-After %q", r, r.retryAfter)
	} else {
		t.Logf("without an answer from the database, a vote got %s after %v", r, time.Since(begin).Round(time.Millisecond))
	}
	p.postgres.mend(t)
	last := persist(held, s)
	if !last.acknowledged() {
		t.Errorf("with an answer again, it got %s", last)
	}

	for range 10 {
		p.postgres.poison(t, "reset_peer", answers, "timeout", 0)
		v := next()
		if r := v.cast(s); !r.acknowledged() && !r.later() {
			t.Errorf("with connections reset, a vote got %s", r)
		}
		p.postgres.mend(t)
		if last = persist(v, s); !last.acknowledged() {
			t.Errorf("after connections were reset, a vote got %s", last)
		}
	}
	near.await(t, last.Version)
	if votes, counted := results(t, s, ballot); votes != 12 || counted != 12 {
		t.Errorf("%d votes and a sum of %d, want 12", votes, counted)
	}
	c.mustVerify(t)
	p.leave()
	wantGoodEnd(t, s)
}

// TestCluster_RedisIsSlow delays what passes between an instance and Redis:
// voters and viewers there notice nothing, viewers elsewhere see votes as without
// Redis.
func TestCluster_RedisIsSlow(t *testing.T) {
	c := newCluster(t)
	p := newPlace(t, c, "one")
	defer p.leave()
	eventually(t, "it is ready", func() bool { return p.ready(t) })
	a, b := p.now(), c.serve(t)
	ballot := createBallot(t, a, "Slow?", "yes", "no")
	near, far := startViewer(t, a, ballot), startViewer(t, b, ballot)
	near.await(t, 1)
	far.await(t, 1)
	for _, way := range []string{requests, answers} {
		p.redis.poison(t, "latency", way, "latency", 800)
	}
	wantLag(t, "with a slow Redis, by the voters", waits(t, a, ballot, 5), 500*time.Millisecond)
	wantLag(t, "with a slow Redis, by a viewer here", lag(t, a, ballot, 5, near), 500*time.Millisecond)
	wantLag(t, "with a slow Redis, by a viewer there", lag(t, a, ballot, 5, far), 2*time.Second)
	p.redis.mend(t)
	p.leave()
	wantGoodEnd(t, a, b)
}
