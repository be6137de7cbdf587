package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
)

// newMetrics returns metrics that know what this binary is and when it was
// started.
func newMetrics() *ops.Metrics {
	m := ops.NewMetrics()
	release, revision := built()
	constant(m, oponn.Metric{Name: "oponn_build_info", Help: "1; the labels say what the binary was built from.",
		Labels: oponn.Labels{"version": release, "revision": revision, "go_version": runtime.Version()}}, 1)
	constant(m, oponn.Metric{Name: "oponn_start_time_seconds", Help: "When the instance was started, in Unix time."},
		float64(time.Now().UnixMilli())/1e3)
	return m
}

func constant(m oponn.Meter, what oponn.Metric, value float64) {
	m.Gauge(what, func() float64 { return value })
}

// choreMeters count the chores of this instance.
type choreMeters struct {
	done, held, failed oponn.Counter
	took               oponn.Histogram
	purged             oponn.Counter
	elected            atomic.Bool // it is at them now
}

// choreBounds are for a round of chores, in seconds.
var choreBounds = []float64{0.01, 0.1, 1, 10, 60, 600}

func newChoreMeters(meter oponn.Meter) *choreMeters {
	round := func(result string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_chores_total", Labels: oponn.Labels{"result": result},
			Help: "Rounds of chores: done here, held by another instance, or failed."})
	}
	c := &choreMeters{done: round("done"), held: round("held"), failed: round("failed"),
		took: meter.Histogram(oponn.Metric{Name: "oponn_chores_seconds", Help: "Time of a round of chores that was done here."}, choreBounds),
		purged: meter.Counter(oponn.Metric{Name: "oponn_ballots_purged_total",
			Help: "Ballots that were deleted because their retention had ended."})}
	meter.Gauge(oponn.Metric{Name: "oponn_chores_elected", Help: "1 while this instance does the chores of all."}, func() float64 {
		if c.elected.Load() {
			return 1
		}
		return 0
	})
	return c
}

// round counts a round of chores.
func (c *choreMeters) round(ctx context.Context, work chore) error {
	begin := time.Now()
	err := work(ctx)
	switch {
	case errors.Is(err, oponn.ErrHeld):
		c.held.Add(1)
	case err != nil:
		c.failed.Add(1)
	default:
		c.done.Add(1)
		c.took.Observe(time.Since(begin).Seconds())
	}
	return err
}

// atWork says that this instance does a chore while it does.
func (c *choreMeters) atWork(do chore) chore {
	return func(ctx context.Context) error {
		c.elected.Store(true)
		defer c.elected.Store(false)
		return do(ctx)
	}
}
