package main

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// percent returns how much garbage may gather, in percent of what lives.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

// seenTraffic is as many votes as a test says.
type seenTraffic struct{ votes atomic.Uint64 }

func (s *seenTraffic) Committed() uint64 { return s.votes.Load() }
func (s *seenTraffic) Waiting() int      { return 0 }

func TestPace(t *testing.T) {
	t.Setenv("GOGC", "")
	synctest.Test(t, func(t *testing.T) {
		var traffic seenTraffic
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			pace(ctx, &traffic)
			close(ended)
		}()
		pass := func(looks int, rate uint64) {
			for range looks {
				traffic.votes.Add(rate)
				time.Sleep(look) // virtual time
				synctest.Wait()
			}
		}
		pass(3, brisk-1)
		if got := percent(); got != 100 {
			t.Errorf("with few votes: %d %%", got)
		}
		pass(3, brisk)
		if got := percent(); got <= 100 {
			t.Errorf("with many votes: %d %%", got)
		}
		pass(calmAfter-1, 0)
		if got := percent(); got <= 100 {
			t.Errorf("in a pause: %d %%", got)
		}
		pass(2, 0)
		if got := percent(); got != 100 {
			t.Errorf("when it is calm: %d %%", got)
		}
		pass(1, brisk)
		cancel()
		<-ended
		if got := percent(); got != 100 {
			t.Errorf("in the end: %d %%", got)
		}
	})
}

func TestTook(t *testing.T) {
	t.Parallel()
	for waiting, want := range map[int]time.Duration{0: 0, 40: 2 * time.Millisecond, 5000: look} {
		if got := took(5000, waiting); got != want {
			t.Errorf("%d wait, and 20,000 a second come: %v each, want %v", waiting, got, want)
		}
	}
}

// TestCollector_Gather knows by the collector's own setting what was done.
func TestCollector_Gather(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	c := collector{percent: ordinary}
	for _, step := range []struct{ asked, is int }{{1500, 1500}, {1400, 1500}, {1900, 1500}, {2100, 2100}, {1500, 1500}, {101, 101}, {100, 100}} {
		c.gather(step.asked)
		if got := percent(); got != step.is {
			t.Errorf("asked for %d %%: %d", step.asked, got)
		}
	}
}

func TestPace_OperatorsDecide(t *testing.T) {
	t.Setenv("GOGC", "50")
	pace(context.Background(), nil) // returns at once
}
