package report

import (
	"fmt"
	"time"
)

// Limits are thresholds. Zero times and rates, and negative counts, are none.
type Limits struct {
	P99, Screen time.Duration
	Rate        float64
	// Lost is the most votes that may be lost, and that may be doubled.
	Lost, Refused int64
}

// Check says what of the report is beyond the limits.
func (l Limits) Check(r *Report) (failures []string) {
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	longer := func(what string, got *Latency, limit time.Duration) {
		switch {
		case limit == 0:
		case got == nil || got.Count == 0:
			fail("%s was never measured; at most %v was allowed at p99", what, limit)
		case got.P99 > float64(limit)/float64(time.Millisecond):
			fail("%s took %.1f ms at p99; at most %v was allowed", what, got.P99, limit)
		}
	}
	votes := r.Votes
	if votes == nil {
		votes = &Votes{}
	}
	longer("vote-to-acknowledgement", &votes.Acknowledgement, l.P99)
	longer("vote-to-screen", r.Screen, l.Screen)
	if votes.PerSecond < l.Rate {
		fail("%.0f votes/s were acknowledged; at least %.0f were wanted", votes.PerSecond, l.Rate)
	}
	if l.Lost >= 0 && r.Checks.Lost > l.Lost {
		fail("%d votes were lost; at most %d were allowed", r.Checks.Lost, l.Lost)
	}
	if l.Lost >= 0 && r.Checks.Doubled > l.Lost {
		fail("%d votes were doubled; at most %d were allowed", r.Checks.Doubled, l.Lost)
	}
	if n := votes.RefusedCount(); l.Refused >= 0 && n > l.Refused {
		fail("%d answers were refusals; at most %d were allowed", n, l.Refused)
	}
	return failures
}
