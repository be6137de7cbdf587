package oponn_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestSpan(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 500_000_000, time.UTC)
	ballot := &oponn.Ballot{CreatedAt: noon}
	for name, test := range map[string]struct {
		state oponn.State
		from  time.Time
		slot  time.Duration
	}{
		"open, just made":  {oponn.State{Status: oponn.Open}, noon.Truncate(time.Second), time.Second},
		"opened later":     {oponn.State{Status: oponn.Open, OpensAt: noon.Add(-time.Hour)}, noon.Truncate(time.Second), time.Second},
		"closed after 4 h": {oponn.State{Status: oponn.Closed, ClosedAt: noon.Add(4 * time.Hour)}, noon.Truncate(time.Second), 61 * time.Second},
		"opens at a time": {oponn.State{Status: oponn.Closed, OpensAt: noon.Add(time.Hour), ClosedAt: noon.Add(time.Hour + 10*time.Second)},
			noon.Add(time.Hour).Truncate(time.Second), time.Second},
		"closed before it opened": {oponn.State{Status: oponn.Closed, OpensAt: noon.Add(time.Hour), ClosedAt: noon}, noon.Add(time.Hour).Truncate(time.Second), time.Second},
	} {
		span := oponn.Snapshot{Ballot: ballot, State: test.state}.Span(noon.Add(time.Second))
		if !span.From.Equal(test.from) || span.Slot != test.slot {
			t.Errorf("%s: %v, %v", name, span.From, span.Slot)
		}
	}
}

// No part of a line tells of fewer voters than a bucket holds, and the line
// tells of all of them once the ballot is closed.
func TestNewPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := oponn.Span{From: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), Slot: 7 * time.Second}
		counts := rapid.MapOf(rapid.IntRange(0, 240), rapid.Uint64Range(1, 30)).Draw(t, "slots")
		var slots []oponn.Slot
		var all uint64
		for number, voters := range counts {
			slots = append(slots, oponn.Slot{Number: number, Voters: voters})
			all += voters
		}
		closed := rapid.Bool().Draw(t, "closed")
		pace := oponn.NewPace(span, slots, closed)
		if pace == nil {
			if all >= oponn.PaceBucket {
				t.Fatalf("no pace of %d voters", all)
			}
			return
		}
		if pace[0] != (oponn.Point{At: span.From}) {
			t.Fatalf("it begins with %+v", pace[0])
		}
		for i := 1; i < len(pace); i++ {
			if pace[i].Voters < pace[i-1].Voters+oponn.PaceBucket || !pace[i].At.After(pace[i-1].At) {
				t.Fatalf("after %+v comes %+v", pace[i-1], pace[i])
			}
		}
		switch last := pace[len(pace)-1].Voters; {
		case closed && last != all, !closed && (last > all || all-last >= oponn.PaceBucket):
			t.Fatalf("it ends with %d of %d voters", last, all)
		}
	})
}
