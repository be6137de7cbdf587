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
	const races, atOnce = 1000, 20
	tokens, _ := newTokens(a, races)
	start := make(chan string)
	var mu sync.Mutex
	winners := map[string]string{} // vote id and choice
	answers := map[string]int{}
	won := map[*server]int{}
	var racing sync.WaitGroup
	for range atOnce {
		racing.Go(func() {
			for token := range start {
				first, second := newVote(ballot, token, "1"), newVote(ballot, token, "2")
				var one, other reply
				var both sync.WaitGroup
				both.Go(func() { one = persist(first, a) })
				both.Go(func() { other = persist(second, b) })
				both.Wait()
				mu.Lock()
				answers[one.String()+" and "+other.String()]++
				switch {
				case one.acknowledged() && other.status == http.StatusConflict && other.Code == "already_voted":
					winners[first.id], won[a] = "1", won[a]+1
				case other.acknowledged() && one.status == http.StatusConflict && one.Code == "already_voted":
					winners[second.id], won[b] = "2", won[b]+1
				default:
					t.Errorf("the two got %s and %s", one, other)
				}
				mu.Unlock()
			}
		})
	}
	for _, token := range tokens {
		start <- token
	}
	close(start)
	racing.Wait()

	rows, tags := 0, map[string]bool{}
	c.query(t, "select vote_id::text, tag::text from votes where ballot = $1", func(row pgx.Rows) error {
		var id, tag string
		err := row.Scan(&id, &tag)
		if rows++; winners[id] == "" {
			t.Errorf("the vote %s counts, although it was refused", id)
		}
		tags[tag] = true
		return err
	}, uuidOf(t, ballot))
	if rows != races || len(tags) != races || len(winners) != races {
		t.Errorf("%d rows of %d voters and %d winners, want %d", rows, len(tags), len(winners), races)
	}
	for _, s := range []*server{a, b} {
		eventually(t, "a tally of all races", func() bool {
			votes, counted := results(t, s, ballot)
			return votes == races && counted == races
		})
	}
	t.Logf("%d races: %d won on A, %d on B; %d rows; %v", races, won[a], won[b], rows, answers)
	wantGoodEnd(t, a, b)
	c.mustVerify(t)
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
