package main_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestCluster_AVoteIsSeenEverywhere casts votes on one instance and looks at
// the other: viewers see them within a second, and who says what they have
// seen is never shown less.
func TestCluster_AVoteIsSeenEverywhere(t *testing.T) {
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballot := createBallot(t, a, "Everywhere?", "yes", "no")
	near, far, further := startViewer(t, a, ballot), startViewer(t, b, ballot), startViewer(t, b, ballot)
	for _, v := range []*viewer{near, far, further} {
		v.await(t, 1)
	}
	wantLag(t, "votes on A, by viewers on B", lag(t, a, ballot, 25, far, further), time.Second)
	wantLag(t, "votes on B, by viewers on A", lag(t, b, ballot, 25, near), time.Second)
	wantGoodEnd(t, a, b)
	c.mustVerify(t)
}

// TestCluster_NobodyIsShownLessThanTheyHaveSeen votes on one instance and asks
// the other at once, on a ballot that nobody watches: nothing has told it.
func TestCluster_NobodyIsShownLessThanTheyHaveSeen(t *testing.T) {
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballot := createBallot(t, a, "Unwatched?", "yes", "no")
	results(t, b, ballot) // wakes it there
	tokens, _ := newTokens(a, 100)
	url := b.url + "/api/v1/ballots/" + ballot + "/results"
	for i, token := range tokens {
		voted := newVote(ballot, token, "1").cast(a)
		if voted.status != http.StatusCreated {
			t.Fatalf("a vote got %s", voted)
		}
		asked := url + fmt.Sprintf("?after=%d", voted.Version)
		header := http.Header{}
		if i%2 == 1 {
			asked, header = url, http.Header{"If-None-Match": {fmt.Sprintf("%q", fmt.Sprint(voted.Version))}}
		}
		switch r := ask(http.MethodGet, asked, header, nil); {
		case r.status == http.StatusOK && r.Version >= voted.Version && i%2 == 0:
		case r.status == http.StatusNotModified && i%2 == 1:
		default:
			t.Fatalf("having seen version %d, a voter got %s with version %d", voted.Version, r, r.Version)
		}
		if r := ask(http.MethodGet, url, nil, nil); r.Version < voted.Version {
			t.Fatalf("after version %d, version %d was shown", voted.Version, r.Version)
		}
	}
	wantGoodEnd(t, a, b)
}

// TestCluster_RacesHaveOneWinner sends two different votes of one voter to two
// instances at the same moment, a thousand times.
func TestCluster_RacesHaveOneWinner(t *testing.T) {
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballot := createBallot(t, a, "Who is first?", "yes", "no")
	race(t, a, b, ballot, 1000).wantOneRowEach(t, c)
	wantGoodEnd(t, a, b)
	c.mustVerify(t)
}

// races are two votes each of as many voters, sent at the same moment.
type races struct {
	a, b   *server
	ballot string
	n      int

	mu      sync.Mutex
	winners map[string]bool // by vote id
	answers map[string]int
	won     map[*server]int
}

// race has n voters vote on two instances at once: one of the two has to win.
func race(t *testing.T, a, b *server, ballot string, n int) *races {
	t.Helper()
	const atOnce = 20
	r := &races{a: a, b: b, ballot: ballot, n: n, winners: map[string]bool{}, answers: map[string]int{}, won: map[*server]int{}}
	tokens, _ := newTokens(a, n)
	start := make(chan string)
	var racing sync.WaitGroup
	for range atOnce {
		racing.Go(func() {
			for token := range start {
				r.run(t, token)
			}
		})
	}
	for _, token := range tokens {
		start <- token
	}
	close(start)
	racing.Wait()
	return r
}

// run has one voter vote twice.
func (r *races) run(t *testing.T, token string) {
	first, second := newVote(r.ballot, token, "1"), newVote(r.ballot, token, "2")
	var one, other reply
	var both sync.WaitGroup
	both.Go(func() { one = persist(first, r.a) })
	both.Go(func() { other = persist(second, r.b) })
	both.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[one.String()+" and "+other.String()]++
	switch {
	case one.acknowledged() && other.status == http.StatusConflict && other.Code == "already_voted":
		r.winners[first.id] = true
		r.won[r.a]++
	case other.acknowledged() && one.status == http.StatusConflict && one.Code == "already_voted":
		r.winners[second.id] = true
		r.won[r.b]++
	default:
		t.Errorf("the two got %s and %s", one, other)
	}
}

// wantOneRowEach wants the winners in the database and in the results of both
// instances, and nothing else.
func (r *races) wantOneRowEach(t *testing.T, c *cluster) {
	t.Helper()
	rows, tags := 0, map[string]bool{}
	c.query(t, "select vote_id::text, tag::text from votes where ballot = $1", func(row pgx.Rows) error {
		var id, tag string
		err := row.Scan(&id, &tag)
		if rows++; !r.winners[id] {
			t.Errorf("the vote %s counts, although it was refused", id)
		}
		tags[tag] = true
		return err
	}, uuidOf(t, r.ballot))
	if rows != r.n || len(tags) != r.n || len(r.winners) != r.n {
		t.Errorf("%d rows of %d voters and %d winners, want %d", rows, len(tags), len(r.winners), r.n)
	}
	for _, s := range []*server{r.a, r.b} {
		eventually(t, "a tally of all races", func() bool {
			votes, counted := results(t, s, r.ballot)
			return votes == r.n && counted == r.n
		})
	}
	t.Logf("%d races: %d won on A, %d on B; %d rows; %v", r.n, r.won[r.a], r.won[r.b], rows, r.answers)
}

// persist sends a vote to one instance until that has an opinion.
func persist(v *vote, s *server) (r reply) {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for begin := time.Now(); time.Since(begin) < soon; <-pause.C {
		if r = v.cast(s); !r.later() {
			break
		}
	}
	return r
}
