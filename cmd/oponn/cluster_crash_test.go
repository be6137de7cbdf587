package main_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestCluster_OneInstanceIsKilled kills one in the middle of a load: voters go
// on with the other, and then with the one that takes its place.
func TestCluster_OneInstanceIsKilled(t *testing.T) {
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballots := []string{createBallot(t, a, "Alive?", "yes", "no"), createBallot(t, b, "And now?", "yes", "no")}
	watched := createBallot(t, a, "Watched?", "yes", "no")
	near := startViewer(t, a, watched)
	near.await(t, 1)
	l := startLoad(t, spread(a, b), ballots...)
	l.more(t, 300)
	b.signal(t, syscall.SIGKILL)
	b.awaitExit(t)
	l.more(t, 300)
	wantLag(t, "after the death, by a viewer that is left", lag(t, a, watched, 5, near), time.Second)
	heir := c.serve(t)
	l.wantAllCounted(t, c, heir)
	if len(l.again) == 0 {
		t.Error("nobody had to vote again: nothing was tested")
	}
	wantGoodEnd(t, a, heir)
}

// TestCluster_OneInstanceFreezes stops a process in the middle of its
// transactions: what it has locked is free again in seconds, and when it goes
// on nothing is counted twice.
func TestCluster_OneInstanceFreezes(t *testing.T) {
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballot := createBallot(t, a, "Cold?", "yes", "no")
	ofB := func(voter int) bool { return voter%2 == 0 }
	l := startLoad(t, func(voter, attempt int) *server {
		if ofB(voter) {
			return b
		}
		return []*server{a, b}[attempt%2]
	}, ballot)
	l.more(t, 100)
	const wanted = 2
	hits, tries := 0, 0
	for begin := time.Now(); hits < wanted && time.Since(begin) < soon/2; tries++ {
		l.more(t, 10) // the frozen one has to be at work
		a.signal(t, syscall.SIGSTOP)
		if c.frozenInside(t) {
			hits++
			l.more(t, 50)
		}
		a.signal(t, syscall.SIGCONT)
	}
	held := l.slowestOf(ofB)
	t.Logf("%d of %d freezes were inside a transaction; voters elsewhere were held up for %v at most", hits, tries, held.Round(time.Millisecond))
	if held > 5*time.Second {
		t.Errorf("the others were held up for %v, want less than 5 s", held)
	}
	if hits == 0 {
		t.Error("no freeze was inside a transaction: nothing was tested")
	}
	l.more(t, 50)
	l.wantAllCounted(t, c, b)
	wantGoodEnd(t, a, b)
}

// frozenInside says whether a transaction stays open without doing anything.
func (c *cluster) frozenInside(t *testing.T) bool {
	t.Helper()
	open := func() (transactions []string) {
		c.query(t, `select pid, xact_start::text, state_change::text from pg_stat_activity
			where datname = current_database() and state like 'idle in transaction%' and xact_start is not null`, func(row pgx.Rows) error {
			var pid int
			var began, changed string
			err := row.Scan(&pid, &began, &changed)
			transactions = append(transactions, fmt.Sprint(pid, began, changed))
			return err
		})
		return transactions
	}
	before := open()
	<-time.After(20 * time.Millisecond)
	now := open()
	return slices.ContainsFunc(before, func(one string) bool { return slices.Contains(now, one) })
}
