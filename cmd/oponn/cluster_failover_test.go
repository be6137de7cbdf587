package main_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// TestCluster_PostgresFailsOver kills the primary in the middle of a load and
// promotes its synchronous standby, which has missed the last commits: they may
// not have been acknowledged. Nobody tells the instances: their URL names both, and
// the one that may not be written to first.
func TestCluster_PostgresFailsOver(t *testing.T) {
	c := newCluster(t)
	primary := pgtest.NewServer(t)
	standby := pgtest.NewStandby(t, primary)
	c.database = pgtest.Either(standby, primary)
	a, b := c.serve(t), c.serve(t)
	ballots := []string{createBallot(t, a, "Here?", "yes", "no"), createBallot(t, b, "There?", "yes", "no")}
	watched := createBallot(t, a, "Watched?", "yes", "no")
	near, far := startViewer(t, a, watched), startViewer(t, b, watched)
	near.await(t, 1)
	far.await(t, 1)
	l := startLoad(t, spread(a, b), ballots...)
	l.more(t, 200)
	standby.Detach(t)
	alone := l.count()
	eventually(t, "a vote is committed on the primary alone", func() bool { return primary.Waits(t) || l.count() > alone+20 })
	primary.Kill(t)
	eventually(t, "voters are told to come later", func() bool { return l.got("503 store_unavailable") >= 10 })
	before := l.count()
	standby.Promote(t)
	promoted := time.Now()
	eventually(t, "a vote after the promotion", func() bool { return l.count() > before })
	first := time.Since(promoted)
	t.Logf("the first vote was acknowledged %v after the promotion", first.Round(time.Millisecond))
	if first > 5*time.Second {
		t.Errorf("voters waited for %v, want 5 s", first)
	}
	l.more(t, 200)
	for _, s := range []*server{a, b} {
		wantReady(t, s, http.StatusOK, "ready")
	}
	l.wantAllCounted(t, c, b)
	wantLag(t, "on the standby", lag(t, a, watched, 5, near, far), time.Second)
	wantGoodEnd(t, a, b)
}

// TestCluster_OneInstanceIsCutOff cuts one of two instances off from Postgres,
// Redis and both, and lets it back: it acknowledges nothing that it can't
// commit, its viewers see nothing that wasn't committed and no version fall, and
// its readers nothing older than they have seen.
func TestCluster_OneInstanceIsCutOff(t *testing.T) {
	c := newCluster(t)
	lonely := newPlace(t, c, "lonely")
	defer lonely.leave()
	eventually(t, "it is ready", func() bool { return lonely.ready(t) })
	a, b := lonely.now(), c.serve(t)
	ballot := createBallot(t, b, "Alone?", "yes", "no")
	near, far := startViewer(t, a, ballot), startViewer(t, b, ballot)
	near.await(t, 1)
	far.await(t, 1)
	tokens, _ := newTokens(b, 100)
	next := func() *vote {
		v := newVote(ballot, tokens[0], "1")
		tokens = tokens[1:]
		return v
	}
	counted, last := 0, uint64(1)
	for _, cut := range []struct {
		from    string
		wires   []*wire
		commits bool // whether it can still commit
	}{
		{"Postgres", []*wire{lonely.postgres}, false},
		{"Redis", []*wire{lonely.redis}, true},
		{"both", []*wire{lonely.postgres, lonely.redis}, false},
	} {
		for _, w := range cut.wires {
			w.cut()
		}
		var open []*vote
		for range 5 {
			v := next()
			open = append(open, v)
			r := v.cast(a)
			if r.acknowledged() != cut.commits || !cut.commits && (r.status != http.StatusServiceUnavailable || r.retryAfter == "") {
				t.Errorf("cut off from %s, a vote got %s, Retry-After %q", cut.from, r, r.retryAfter)
			}
			last = max(last, r.Version)
			if seen := near.seen(); seen > last {
				t.Errorf("cut off from %s, a viewer sees version %d of %d", cut.from, seen, last)
			}
			r = next().cast(b)
			if r.status != http.StatusCreated {
				t.Errorf("while the other is cut off from %s, a vote got %s", cut.from, r)
			}
			last = r.Version
			far.await(t, last)
			shown := ask(http.MethodGet, fmt.Sprintf("%s/api/v1/ballots/%s/results?after=%d", a.url, ballot, last), nil, nil)
			if shown.status != http.StatusServiceUnavailable && (shown.status != http.StatusOK || shown.Version < last) {
				t.Errorf("cut off from %s, a result after version %d got %s and version %d", cut.from, last, shown, shown.Version)
			}
		}
		for _, w := range cut.wires {
			w.mend(t)
		}
		for _, v := range open {
			r := persist(v, a)
			if !r.acknowledged() {
				t.Errorf("back from %s, a vote got %s", cut.from, r)
			}
			last = max(last, r.Version)
		}
		near.await(t, last)
		counted += 10
		if votes, _ := results(t, b, ballot); votes != counted {
			t.Errorf("%d votes, want %d", votes, counted)
		}
	}
	c.mustVerify(t)
	lonely.leave()
	wantGoodEnd(t, a, b)
}
