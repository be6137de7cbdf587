package main_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestCluster_FiveThousandViewersReturnAtOnce kills the instance of 5,000
// viewers, who all come to the other at the same moment, which knows of an older
// version. They see none fall, and nobody who votes meanwhile is kept waiting.
func TestCluster_FiveThousandViewersReturnAtOnce(t *testing.T) {
	const viewers = 5000
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	ballot := createBallot(t, a, "Back?", "yes", "no")
	crowd := &returners{t: t, ballot: ballot}
	for range viewers {
		crowd.watching.Go(func() { crowd.watch(a, b) })
	}
	await(t, "all watch", func() bool { return crowd.here.Load() == viewers })
	l := startLoad(t, func(_, attempt int) *server { return []*server{a, b}[min(attempt, 1)] }, ballot)
	l.more(t, 50)
	eventually(t, "the other instance knows of the ballot, and goes on with that for a while", func() bool {
		r := ask(http.MethodGet, b.url+"/api/v1/ballots/"+ballot+"/results", nil, nil)
		crowd.known.Store(int64(r.Version))
		return r.status == http.StatusOK
	})
	eventually(t, "most have seen more than the other instance", func() bool { return crowd.ahead.Load() > viewers/2 })
	a.signal(t, syscall.SIGKILL)
	gone := time.Now()
	l.more(t, 50)
	await(t, "all are back", func() bool { return crowd.back.Load() == viewers })
	t.Logf("all %d were back after %v; a voter waited for %v at most", viewers, time.Since(gone).Round(time.Millisecond), l.slowestOf(nil).Round(time.Millisecond))
	l.wantAllCounted(t, c, b)
	votes, _ := results(t, b, ballot)
	crowd.wanted.Store(int64(votes))
	r := newVoteOf(t, b, ballot).cast(b)
	if !r.acknowledged() {
		t.Errorf("the last vote got %s", r)
	}
	crowd.watching.Wait()
	if n := crowd.fell.Load(); n > 0 {
		t.Errorf("%d saw a version fall", n)
	}
	wantGoodEnd(t, b)
}

// newVoteOf returns the vote of a new voter.
func newVoteOf(t *testing.T, s *server, ballot string) *vote {
	t.Helper()
	tokens, ok := newTokens(s, 1)
	if !ok {
		t.Fatal("no voter token")
	}
	return newVote(ballot, tokens[0], "1")
}

// returners are viewers who go to another instance when theirs dies.
type returners struct {
	t          *testing.T
	ballot     string
	here, back atomic.Int64
	fell       atomic.Int64
	// known is what the other instance knows of, ahead how many have seen more
	// since that is known.
	known, ahead atomic.Int64
	// wanted ends them: when they have seen more votes than that.
	wanted   atomic.Int64
	watching sync.WaitGroup
}

var frame = regexp.MustCompile(`"version":(\d+),"votes":(\d+)`)

// watch sees one instance to its end, and then another until enough.
func (c *returners) watch(first, second *server) {
	seen := c.stream(first, 0, &c.here)
	for begin := time.Now(); time.Since(begin) < atLast; {
		if c.t.Context().Err() != nil {
			return // the test has failed
		}
		version := c.stream(second, seen, &c.back)
		if version == 0 {
			return
		}
		seen = version
	}
	c.t.Error("a viewer never saw the last vote")
}

// stream watches until the stream ends, and returns the last version seen; 0
// when that was enough.
func (c *returners) stream(s *server, seen int, came *atomic.Int64) int {
	addr := strings.TrimPrefix(s.url, "http://")
	conn, err := net.DialTimeout("tcp", addr, soon)
	if err != nil {
		return seen
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/v1/ballots/%s/live HTTP/1.1\r\nHost: %s\r\nLast-Event-ID: %d\r\n\r\n", c.ballot, addr, seen)
	arrived, ahead := false, false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if !arrived && strings.HasPrefix(lines.Text(), "HTTP/1.1 200") {
			arrived = true
			came.Add(1)
		}
		found := frame.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		version, _ := strconv.Atoi(found[1])
		votes, _ := strconv.ParseInt(found[2], 10, 64)
		if version < seen {
			c.fell.Add(1)
		}
		if known := int(c.known.Load()); !ahead && known > 0 && version > known {
			ahead = true
			c.ahead.Add(1)
		}
		seen = max(seen, version)
		if wanted := c.wanted.Load(); wanted > 0 && votes > wanted {
			return 0
		}
	}
	return seen
}
