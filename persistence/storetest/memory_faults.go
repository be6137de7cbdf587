package storetest

import (
	"context"
	"errors"
	"time"
)

// retryLost is what an unknown outcome carries as RetryAfter.
const retryLost = 100 * time.Millisecond

// faults are what the hooks of a Memory have set.
type faults struct {
	latency   time.Duration
	hold      chan struct{} // nil when nothing is held
	failures  int
	failure   error
	lost      bool
	committed bool
}

// SetLatency makes every Append from now on wait before its transaction.
func (m *Memory) SetLatency(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults.latency = d
}

// Hold keeps every Append that begins from now on waiting in flight, before it
// has read anything, until release is called or its context ends. Release may
// be called more than once. A Hold within a Hold does nothing, nor does its
// release.
func (m *Memory) Hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faults.hold != nil {
		return func() {}
	}
	held := make(chan struct{})
	m.faults.hold = held
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.faults.hold == held {
			m.faults.hold = nil
			close(held)
		}
	}
}

// FailNext makes the next n calls of Append fail with err before anything is
// done; nil stands for CodeStoreUnavailable.
func (m *Memory) FailNext(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		err = notDone(errors.New("storetest: made to fail"))
	}
	m.faults.failures, m.faults.failure = n, err
}

// LoseNextCommit makes the next transaction of Append end with
// CodeOutcomeUnknown: its batches are committed, or not.
func (m *Memory) LoseNextCommit(committed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults.lost, m.faults.committed = true, committed
}

// loses says once what LoseNextCommit asked for.
func (m *Memory) loses() (lost, committed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lost, m.faults.lost = m.faults.lost, false
	return lost, m.faults.committed
}

// delay lets an Append wait or fail as the hooks say.
func (m *Memory) delay(ctx context.Context) error {
	m.mu.Lock()
	latency, held := m.faults.latency, m.faults.hold
	var failure error
	if m.faults.failures > 0 {
		m.faults.failures--
		failure = m.faults.failure
	}
	if held != nil {
		m.counted.Held++
	}
	m.mu.Unlock()
	if held != nil {
		defer m.letGo()
		select {
		case <-held:
		case <-ctx.Done():
			return notDone(ctx.Err())
		}
	}
	if latency > 0 {
		timer := time.NewTimer(latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return notDone(ctx.Err())
		}
	}
	return failure
}

func (m *Memory) letGo() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counted.Held--
}
