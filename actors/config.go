package actors

import (
	"errors"
	"log/slog"
	"time"

	"github.com/oponn/oponn"
)

// Config is what an actor system needs. Store, Keys and Bus are required; the
// rest has defaults, taken for zero.
type Config struct {
	Store  oponn.Store
	Keys   oponn.Keyring
	Bus    oponn.Bus
	Logger *slog.Logger // nil: slog.Default
	Meter  oponn.Meter  // nil: nothing is counted

	// Writers is how many transactions may run at once; 1 by default, right
	// for SQLite.
	Writers int
	// MaxBatch is the most votes of one ballot in one transaction; 2,000.
	MaxBatch int
	// MaxInFlight bounds the requests that wait, MaxPerBallot the votes for one
	// ballot; 50,000 and 20,000. What is over is CodeBusy at once.
	MaxInFlight  int
	MaxPerBallot int
	// MaxAwake is the most ballots in memory; 20,000.
	MaxAwake int
	// MaxStreams is the most viewers; 10,000.
	MaxStreams int

	// Deadline is how long a request may wait when its context says nothing;
	// 5 s.
	Deadline time.Duration
	// FrameInterval is the least time between two frames of one ballot; 100 ms.
	FrameInterval time.Duration
	// IdleAfter is how long a ballot stays in memory without votes and
	// viewers; 2 min.
	IdleAfter time.Duration
	// BeatEvery is the time between two signs of life on a stream; 15 s.
	BeatEvery time.Duration
	// Lease is how long a viewer may leave what it was offered; 10 s.
	Lease time.Duration
	// Freshness is how old a state may be that is answered without asking the
	// store, and how long a watched ballot goes unheard before it is asked
	// for; 1 s.
	Freshness time.Duration
}

// check fills in the defaults.
func (c *Config) check() error {
	if c.Store == nil || c.Keys == nil || c.Bus == nil {
		return errors.New("actors: Store, Keys and Bus are required")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, n := range []struct {
		value    *int
		fallback int
	}{
		{&c.Writers, 1}, {&c.MaxBatch, 2000}, {&c.MaxInFlight, 50_000}, {&c.MaxPerBallot, 20_000},
		{&c.MaxAwake, 20_000}, {&c.MaxStreams, 10_000},
	} {
		if *n.value <= 0 {
			*n.value = n.fallback
		}
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.Deadline, 5 * time.Second}, {&c.FrameInterval, 100 * time.Millisecond}, {&c.IdleAfter, 2 * time.Minute},
		{&c.BeatEvery, 15 * time.Second}, {&c.Lease, 10 * time.Second}, {&c.Freshness, time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	return nil
}
