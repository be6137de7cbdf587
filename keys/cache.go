package keys

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/oponn/oponn"
)

// cache keeps opened keys, bounded in number and in age, and sees to it that a
// key is opened once however many ask for it at a time.
//
// It asks again for a key that is older than age. One that can't be refreshed,
// because the KEK can't be reached, is kept for grace since the KEK last
// vouched for it; one that the KEK refuses goes.
//
// The expirable variant of the LRU would start a goroutine that never ends.
// Here an entry that is too old goes when it is asked for or, if it is also
// the one least lately used, when another comes in.
//
// golang.org/x/sync/singleflight would not do: forget must reach a call that
// is under way, and there a panic in the KEK would end the process.
type cache struct {
	age, grace, deadline time.Duration
	unwrap               func(context.Context, oponn.BallotID, oponn.WrappedKey) (*dataKey, error)

	meters  cacheMeters
	mu      sync.Mutex
	opened  *lru.Cache[oponn.BallotID, entry]
	flights map[oponn.BallotID]*flight // the newest call of each ballot
	away    time.Time                  // when the KEK last could not be reached
}

// refreshPause is how long a key that could not be refreshed serves before it
// is tried again: nobody should wait for the deadline at every turn.
const refreshPause = 5 * time.Second

// entry is one opened key.
type entry struct {
	key    *dataKey
	digest [sha256.Size]byte // of the wrapped key that it was opened from
	at     time.Time         // when the KEK vouched for it
	tried  time.Time         // when that was last tried in vain
}

func newCache(s settings) *cache {
	opened, err := lru.New[oponn.BallotID, entry](s.size)
	if err != nil {
		panic(err) // only for a size below 1, which WithCacheSize lets nobody ask for
	}
	c := &cache{age: s.age, grace: s.grace, deadline: s.deadline, opened: opened, flights: make(map[oponn.BallotID]*flight)}
	c.meters = newCacheMeters(s.meter, c, s.size)
	return c
}

// open returns the ballot's key from the cache or from the KEK. Its errors are
// those of unwrap, and CodeKeysUnavailable when ctx or the deadline ends first
// and the cache has no key that may still serve.
func (c *cache) open(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (*dataKey, error) {
	d := digest(wrapped)
	c.mu.Lock()
	if e, ok := c.get(ballot, d); ok && c.fresh(e) {
		c.mu.Unlock()
		c.meters.hits.Add(1)
		return e.key, nil
	}
	f := c.flights[ballot]
	if f == nil || f.digest != d {
		f = newFlight(ctx, d, c.deadline)
		c.flights[ballot] = f
		own := clone(wrapped) // the call may outlive its caller
		go f.run(func(ctx context.Context) (*dataKey, error) { return c.unwrap(ctx, ballot, own) },
			func() { c.land(ballot, f) })
	}
	c.mu.Unlock()
	key, err := f.wait(ctx)
	if !unreached(err) {
		c.meters.misses.Add(1)
		return key, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.get(ballot, d); ok {
		c.meters.stale.Add(1)
		return e.key, nil
	}
	c.meters.misses.Add(1)
	return nil, err
}

// put keeps a key.
func (c *cache) put(ballot oponn.BallotID, wrapped oponn.WrappedKey, key *dataKey) {
	d := digest(wrapped)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(ballot, d, key)
}

// forget drops a ballot's key, and cuts loose the call that is fetching it.
func (c *cache) forget(ballot oponn.BallotID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened.Remove(ballot)
	delete(c.flights, ballot)
}

// land keeps what a flight brought, unless it was forgotten or overtaken by
// one for another wrapped key of the same ballot.
func (c *cache) land(ballot oponn.BallotID, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[ballot] != f {
		return
	}
	delete(c.flights, ballot)
	switch {
	case f.err == nil:
		c.add(ballot, f.digest, f.key)
	case unreached(f.err):
		c.away = time.Now()
		if e, ok := c.get(ballot, f.digest); ok {
			e.tried = c.away
			c.opened.Add(ballot, e)
		}
	default:
		if e, ok := c.opened.Peek(ballot); ok && e.digest == f.digest {
			c.opened.Remove(ballot)
		}
	}
}

// get returns what may serve for a wrapped key, if only while it can't be
// refreshed. The caller holds mu.
func (c *cache) get(ballot oponn.BallotID, digest [sha256.Size]byte) (entry, bool) {
	e, ok := c.opened.Get(ballot)
	if !ok || e.digest != digest {
		return entry{}, false
	}
	if time.Since(e.at) >= c.grace {
		c.opened.Remove(ballot)
		return entry{}, false
	}
	return e, true
}

// fresh tells whether a key serves without asking.
func (c *cache) fresh(e entry) bool {
	return time.Since(e.at) < c.age || !e.tried.IsZero() && time.Since(e.tried) < refreshPause
}

// add keeps a key and drops the oldest. The caller holds mu.
func (c *cache) add(ballot oponn.BallotID, digest [sha256.Size]byte, key *dataKey) {
	if c.age <= 0 {
		return
	}
	limit := c.age
	if !c.away.IsZero() && time.Since(c.away) < c.age {
		limit = c.grace // this key was lucky: others may not be when they are refreshed
	}
	for {
		_, oldest, ok := c.opened.GetOldest()
		if !ok || time.Since(oldest.at) < limit {
			break
		}
		c.opened.RemoveOldest()
		c.meters.evicted.Add(1)
	}
	if c.opened.Add(ballot, entry{key: key, digest: digest, at: time.Now()}) {
		c.meters.evicted.Add(1)
	}
}

// digest tells wrapped keys apart. It hashes public values only.
func digest(w oponn.WrappedKey) [sha256.Size]byte {
	var buf [512]byte // a KMS blob has some 200 bytes, its key's ARN 80
	b := appendPart(buf[:0], w.KEK)
	b = appendPart(b, w.Blob)
	return sha256.Sum256(appendPart(b, w.Commitment))
}

func clone(w oponn.WrappedKey) oponn.WrappedKey {
	w.Blob, w.Commitment = bytes.Clone(w.Blob), bytes.Clone(w.Commitment)
	return w
}
