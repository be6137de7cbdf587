package oponn

import (
	"context"
	"time"
)

// Presence is the word of one instance of the service about itself, for
// operators. Nothing is decided by it.
type Presence struct {
	// Name tells it from others, to people as well.
	Name    string
	Version string
	// Status is ready, degraded, unready or draining.
	Status  string
	Started time.Time
	Votes   float64 // committed per second
	Awake   int     // ballots in memory
	Streams int
	// Heard is when it said so, by its own clock.
	Heard time.Time
}

// Roster is where the instances tell how they are. It is safe for concurrent
// use.
type Roster interface {
	// Tell leaves the word of an instance, which counts for some seconds.
	Tell(ctx context.Context, word Presence) error

	// Present returns the last words of those who told lately, in the order of
	// their names.
	Present(ctx context.Context) ([]Presence, error)
}
