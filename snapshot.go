package oponn

import "time"

// Snapshot is a ballot as it stood at one version, in plaintext. It is shared
// between readers: never change what it refers to.
type Snapshot struct {
	Ballot  *Ballot
	Version uint64
	State   State
	// WriteIns are by number; those beyond State's counts are not shown yet.
	WriteIns []WriteIn
	// Every is the time between two frames of a stream, in whole seconds, where
	// that is so long that viewers should know; else zero. It is no part of what
	// is stored.
	Every time.Duration
	// ExpiresAt is when the ballot's retention ends at the earliest; zero where
	// that is not known.
	ExpiresAt time.Time
}

// KeptUntil returns when the ballot's retention ends, at the earliest, as far
// as an onlooker may know: without a time to close, it tells when the last vote
// came. It is zero where it is not for them, or not known.
func (s Snapshot) KeptUntil(o Onlooker) time.Time {
	retention := s.Ballot.Definition.Retention()
	switch {
	case s.State.Status == Closed:
		return s.State.ClosedAt.Add(retention)
	case !s.State.ClosesAt.IsZero():
		return s.State.ClosesAt.Add(retention)
	case s.ShowsCounts(o):
		return s.ExpiresAt
	default:
		return time.Time{}
	}
}

// Result is one option with its count.
type Result struct {
	Option Option
	Votes  uint64
	// Standing is how a write-in stands.
	Standing Standing
}

// Results returns all options, the owner's first, with their counts: more than
// everybody may see.
func (s Snapshot) Results() []Result {
	d := &s.Ballot.Definition
	options := d.Options()
	given := len(options)
	for _, w := range s.WriteIns {
		options = append(options, w.Option)
	}
	results := make([]Result, min(len(options), len(s.State.Counts)))
	for i := range results {
		results[i] = Result{Option: options[i], Votes: s.State.Counts[i]}
		if i >= given {
			results[i].Standing = d.standing(s.State.Marks, i-given)
		}
	}
	return results
}
