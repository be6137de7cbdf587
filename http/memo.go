package http

import (
	"context"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// memo keeps what was made last, the oldest of which makes room, and bounds how
// much is made at once. It is safe for concurrent use.
type memo[K comparable, V any] struct {
	most    int
	working chan struct{}

	mu       sync.Mutex
	kept     map[K]V
	order    []K
	underway map[K]chan struct{} // what start has begun
}

func newMemo[K comparable, V any](most, workers int) *memo[K, V] {
	return &memo[K, V]{most: most, working: make(chan struct{}, workers), kept: make(map[K]V), underway: make(map[K]chan struct{})}
}

// get returns what is kept under the key, or makes it. An error is not kept.
func (m *memo[K, V]) get(ctx context.Context, key K, create func() (V, error)) (V, error) {
	if value, ok := m.find(key); ok {
		return value, nil
	}
	var none V
	select {
	case m.working <- struct{}{}:
		defer func() { <-m.working }()
	case <-ctx.Done():
		return none, oponn.Retryable(oponn.CodeBusy, time.Second, ctx.Err(), "Many pictures are drawn at this moment. Please try again.")
	}
	if value, ok := m.find(key); ok { // somebody else has made it meanwhile
		return value, nil
	}
	value, err := create()
	if err != nil {
		return none, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(key, value)
	return value, nil
}

// keep takes a value in. The caller holds mu.
func (m *memo[K, V]) keep(key K, value V) {
	if len(m.order) >= m.most {
		delete(m.kept, m.order[0])
		m.order = append(m.order[:0], m.order[1:]...)
	}
	m.kept[key], m.order = value, append(m.order, key)
}

// start has what belongs under the key made beside the caller, once for all who
// ask, and returns a channel that is closed when it is kept; nil when as much
// is under way as may be.
func (m *memo[K, V]) start(key K, create func() V) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if done, ok := m.underway[key]; ok {
		return done
	}
	select {
	case m.working <- struct{}{}:
	default:
		return nil
	}
	done := make(chan struct{})
	m.underway[key] = done
	go func() {
		value := create()
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, ok := m.kept[key]; !ok {
			m.keep(key, value)
		}
		delete(m.underway, key)
		<-m.working
		close(done)
	}()
	return done
}

func (m *memo[K, V]) find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.kept[key]
	return value, ok
}

// drop forgets a key.
func (m *memo[K, V]) drop(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.kept[key]; !ok {
		return
	}
	delete(m.kept, key)
	for i, k := range m.order {
		if k == key {
			m.order = append(m.order[:i], m.order[i+1:]...)
			return
		}
	}
}
