package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// witness watches a ballot's stream, comes back when it ends, and notes all that
// it is shown. One that has several places to go to leaves with each news for
// the next, which may not have heard of them.
type witness struct {
	c       *campaign
	name    string
	ballot  string
	places  []*place // to which it comes in turn
	version atomic.Uint64
	streams atomic.Int64
}

// witness has somebody watch until the campaign is over.
func (c *campaign) witness(ballot string, places ...*place) {
	w := &witness{c: c, name: fmt.Sprint("viewer ", len(c.witnesses)+1), ballot: ballot, places: places}
	c.witnesses = append(c.witnesses, w)
	first := len(c.witnesses)
	c.watching.Go(func() {
		pause := time.NewTicker(100 * time.Millisecond)
		defer pause.Stop()
		for n := first; c.watched.Err() == nil; n++ {
			if !w.watch(c.watched, w.places[n%len(w.places)]) {
				<-pause.C
			}
		}
	})
}

// watch reads one stream to its end, or until there is news to be taken
// elsewhere, which it says.
func (w *witness) watch(ctx context.Context, p *place) (news bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/api/v1/ballots/"+w.ballot+"/live", nil)
	if err != nil {
		panic(err)
	}
	presented := w.version.Load()
	if presented > 0 {
		request.Header.Set("Last-Event-ID", fmt.Sprint(presented))
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	w.streams.Add(1)
	event := ""
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimPrefix(value, " "); {
		case name == "event":
			event = value
		case name == "data" && event == "tally":
			var shown tally
			if err := json.Unmarshal([]byte(value), &shown); err != nil {
				w.c.complain("a frame is no JSON: %s", value)
				return false
			}
			w.c.history.Look(shown.noted(w.ballot, w.name, presented))
			w.version.Store(max(w.version.Load(), shown.Version))
			if len(w.places) > 1 && shown.Version > presented {
				return true
			}
		}
	}
	return false
}

// agree waits until every viewer has seen the last version of its ballot, and
// returns how long that took.
func (c *campaign) agree(t *testing.T, heads map[string]uint64) time.Duration {
	t.Helper()
	begin := time.Now()
	for _, w := range c.witnesses {
		await(t, w.name+" sees the last version", func() bool { return w.version.Load() >= heads[w.ballot] })
	}
	return time.Since(begin)
}
