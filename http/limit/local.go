package limit

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Local is a Limiter within this process: a token bucket for each of the keys
// seen last. A key that was pushed out begins with a full bucket again, so the
// number of keys must be large against the burst.
type Local struct {
	rate  rate.Limit
	burst int
	keys  int

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List               // the key used last in front
}

type bucket struct {
	key     string
	limiter *rate.Limiter
}

// NewLocal returns a limiter for a budget that remembers at most the given
// number of keys; each of them takes some 300 bytes.
func NewLocal(b Budget, keys int) *Local {
	return &Local{
		rate:    rate.Limit(float64(b.Units) / b.Period.Seconds()),
		burst:   b.Units,
		keys:    max(keys, 1),
		buckets: make(map[string]*list.Element),
		recent:  list.New(),
	}
}

// Take implements Limiter. It never fails, and a key that is known costs it no
// memory.
func (l *Local) Take(_ context.Context, key string, n int) (time.Duration, error) {
	now, bucket := time.Now(), l.bucket(key)
	if bucket.AllowN(now, n) {
		return 0, nil
	}
	claim := bucket.ReserveN(now, n)
	if !claim.OK() { // more than any bucket holds
		return time.Duration(float64(n) / float64(l.rate) * float64(time.Second)), nil
	}
	wait := claim.DelayFrom(now)
	if wait > 0 {
		claim.CancelAt(now)
	}
	return wait, nil
}

// Return implements Limiter. It never fails.
func (l *Local) Return(_ context.Context, key string, n int) error {
	l.bucket(key).AllowN(time.Now(), -n)
	return nil
}

func (l *Local) bucket(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.buckets[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket).limiter
	}
	if len(l.buckets) >= l.keys {
		oldest := l.recent.Back()
		delete(l.buckets, l.recent.Remove(oldest).(*bucket).key)
	}
	b := &bucket{key: key, limiter: rate.NewLimiter(l.rate, l.burst)}
	l.buckets[key] = l.recent.PushFront(b)
	return b.limiter
}
