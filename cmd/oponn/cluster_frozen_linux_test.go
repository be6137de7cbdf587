package main_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// TestCluster_PostgresFreezes freezes the primary in the middle of a load,
// promotes its synchronous standby, and lets the old one go on: it takes itself
// for the primary still, and comes first in the URL.
func TestCluster_PostgresFreezes(t *testing.T) {
	c := newCluster(t)
	primary := pgtest.NewServer(t)
	standby := pgtest.NewStandby(t, primary)
	c.database = pgtest.Either(primary, standby)
	a, b := c.serve(t), c.serve(t)
	ballots := []string{createBallot(t, a, "Here?", "yes", "no"), createBallot(t, b, "There?", "yes", "no")}
	watched := createBallot(t, a, "Watched?", "yes", "no")
	near, far := startViewer(t, a, watched), startViewer(t, b, watched)
	near.await(t, 1)
	far.await(t, 1)
	l, r := startLoad(t, spread(a, b), ballots...), startReader(t, ballots[0], a, b)
	l.more(t, 200)
	primary.Freeze(t)
	eventually(t, "voters are told to come later", func() bool {
		return l.got("503 store_unavailable")+l.got("503 outcome_unknown") >= voters
	})
	before := l.count()
	standby.Promote(t)
	promoted := time.Now()
	eventually(t, "a vote after the promotion", func() bool { return l.count() > before })
	first := time.Since(promoted)
	begin := time.Now()
	a.readiness(t)
	slow := time.Since(begin)
	t.Logf("the first vote was acknowledged %v after the promotion; a request that does nothing took %v", first.Round(time.Millisecond), slow.Round(time.Millisecond))
	if first > 5*time.Second+20*slow {
		t.Errorf("voters waited for %v, want 5 s", first)
	}
	l.more(t, 200)
	primary.Thaw(t)
	wantWritable(t, primary)
	stranger := c.serve(t) // has never seen the old one frozen
	r.ask(stranger)
	l.more(t, 200)
	wantLag(t, "after the thaw", lag(t, stranger, watched, 5, near, far), time.Second)
	for _, s := range []*server{a, b, stranger} {
		wantReady(t, s, http.StatusOK, "ready")
	}
	r.wantMore(t, 20)
	c.database = standby.URL()
	l.wantAllCounted(t, c, stranger)
	wantNothingMore(t, c, primary)
	wantGoodEnd(t, a, b, stranger)
}

// wantWritable wants a server that says that it may be written to.
func wantWritable(t *testing.T, s *pgtest.Server) {
	t.Helper()
	former := &cluster{database: s.URL()}
	former.query(t, "show transaction_read_only", func(row pgx.Rows) error {
		var readOnly string
		err := row.Scan(&readOnly)
		if readOnly != "off" {
			t.Errorf("the old primary is read-only: %s", readOnly)
		}
		return err
	})
}

// wantNothingMore wants every vote that a former primary shows in the log of
// the cluster.
func wantNothingMore(t *testing.T, c *cluster, s *pgtest.Server) {
	t.Helper()
	kept, former := map[string]bool{}, &cluster{database: s.URL()}
	const ids = "select vote_id::text from votes"
	c.query(t, ids, func(row pgx.Rows) error {
		var id string
		err := row.Scan(&id)
		kept[id] = true
		return err
	})
	former.query(t, ids, func(row pgx.Rows) error {
		var id string
		err := row.Scan(&id)
		if !kept[id] {
			t.Errorf("the old primary has the vote %s, the new one has not", id)
		}
		return err
	})
}

// reader looks at a result, at all instances in turn, says what it has seen,
// and is never to be shown less.
type reader struct {
	ballot string

	mu        sync.Mutex
	instances []*server
	version   uint64
	reads     int
	fell      string
}

// startReader has somebody read until the test ends.
func startReader(t *testing.T, ballot string, instances ...*server) *reader {
	t.Helper()
	r := &reader{ballot: ballot, instances: instances}
	ended := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		pause := time.NewTicker(20 * time.Millisecond)
		defer pause.Stop()
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			case <-pause.C:
				r.read(n)
			}
		}
	})
	t.Cleanup(func() {
		close(ended)
		reading.Wait()
		if r.fell != "" {
			t.Error(r.fell)
		}
	})
	return r
}

func (r *reader) read(n int) {
	r.mu.Lock()
	s, seen := r.instances[n%len(r.instances)], r.version
	r.mu.Unlock()
	shown := ask(http.MethodGet, fmt.Sprintf("%s/api/v1/ballots/%s/results?after=%d", s.url, r.ballot, seen), nil, nil)
	if shown.status != http.StatusOK {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reads++; shown.Version < seen {
		r.fell = fmt.Sprintf("a reader who had seen version %d was shown %d", seen, shown.Version)
	}
	r.version = max(r.version, shown.Version)
}

// ask has the reader go to one more instance.
func (r *reader) ask(s *server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.instances = append(r.instances, s)
}

// wantMore waits for more results.
func (r *reader) wantMore(t *testing.T, n int) {
	t.Helper()
	count := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.reads
	}
	want := count() + n
	eventually(t, "more results", func() bool { return count() >= want })
}
