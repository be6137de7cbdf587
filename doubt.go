package oponn

import "sync/atomic"

// doubtful is how many transactions look into the log after one that found an
// earlier vote there: those come in swarms, when answers were lost.
const doubtful = 32

// Doubt remembers for a store whether it should look for earlier votes of a
// batch's voters at once, or take them for new ones, as nearly all are, and let
// the key of the log object: that saves a probe of the key's index for each
// vote. The zero Doubt is none. It is safe for concurrent use.
type Doubt struct{ left atomic.Int32 }

// Raise says that an earlier vote was found, or might have been.
func (d *Doubt) Raise() { d.left.Store(doubtful) }

// Looks says whether the next transaction with these batches should look at
// once.
func (d *Doubt) Looks(batches []Batch) bool {
	for i := range batches {
		if batches[i].Codes {
			return true // codes have to be looked for anyway
		}
	}
	return d.left.Load() > 0 && d.left.Add(-1) >= 0
}
