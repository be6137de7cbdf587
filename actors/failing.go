package actors

import (
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// failingFor is how long a transaction that failed says something about the
// next: then somebody may try again.
const failingFor = 10 * time.Second

// failing remembers whether transactions fail. A database can answer readers
// and still commit nothing.
type failing struct {
	mu    sync.Mutex
	since time.Time
	last  time.Time
	err   error // nil: the last transaction did not fail
}

// note takes in what became of a transaction's batches.
func (f *failing) note(result []oponn.Appended) {
	err := failure(result)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.err = nil
		return
	}
	if f.last = time.Now(); f.err == nil {
		f.since = f.last
	}
	f.err = err
}

// failure returns why a transaction as a whole failed; nil when it did not.
func failure(result []oponn.Appended) (err error) {
	for _, batch := range result {
		switch oponn.CodeOf(batch.Err) {
		case oponn.CodeStoreUnavailable, oponn.CodeOutcomeUnknown:
			err = batch.Err
		default:
			return nil
		}
	}
	return err
}

// Failing returns what the last transaction failed of, and since when they all
// fail; no error when it did not fail, or is long ago.
func (s *System) Failing() (since time.Time, err error) {
	f := &s.failing
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || time.Since(f.last) > failingFor {
		return time.Time{}, nil
	}
	return f.since, f.err
}
