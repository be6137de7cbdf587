package views

import "time"

// Retention is how long a ballot is kept.
type Retention struct {
	// Until is when it is deleted, at the earliest; zero where that is not
	// known, or not for the visitor.
	Until time.Time
	// Moves says that the next vote moves Until on.
	Moves bool
	// Days is how long it is kept after its closing, or after the last vote.
	Days int
}
