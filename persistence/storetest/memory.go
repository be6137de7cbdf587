package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// Memory is a simulated oponn.Store for unit tests. It starts no goroutine,
// does no I/O and reads time.Now, so that inside a testing/synctest bubble it
// lives in the bubble's time; make it inside, then. It keeps copies of what it
// is given and gives copies of what it keeps.
//
// Its hooks make it slow, held or broken; see SetLatency, Hold, FailNext and
// LoseNextCommit. They concern Append and this instance alone. It is safe for
// concurrent use.
type Memory struct {
	disk *disk

	mu      sync.Mutex
	open    sync.WaitGroup // calls under way
	closed  bool
	faults  faults
	counted Counters
}

// Counters say what a Memory was asked to append.
type Counters struct {
	// Appends counts calls, those that failed too.
	Appends int
	// Batches and Votes count what the calls carried.
	Batches int
	Votes   int
	// Held is how many calls wait at this moment for the release of a Hold.
	Held int
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{disk: newDisk()}
}

// Sibling returns another open instance on the same data, without the hooks
// and counts of m. It works on a closed m too: that is a reopening.
func (m *Memory) Sibling() *Memory { return &Memory{disk: m.disk} }

// Counters returns what was counted until now.
func (m *Memory) Counters() Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counted
}

// Now returns time.Now in whole microseconds of UTC.
func (m *Memory) Now(ctx context.Context) (time.Time, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer done()
	return now(), nil
}

// Close waits for calls under way; the data stay for siblings. A second call
// does nothing.
func (m *Memory) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.open.Wait()
	return nil
}

// enter admits a call, which must end with done.
func (m *Memory) enter(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, notDone(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, notDone(errors.New("storetest: the store is closed"))
	}
	m.open.Add(1)
	return m.open.Done, nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func notDone(cause error) error {
	return oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, cause, "The database can't answer now. Please try again.")
}
