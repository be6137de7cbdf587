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
// The expirable variant of the LRU would start a goroutine that never ends.
// Here an entry that is too old goes when it is asked for or, if it is also
// the one least lately used, when another comes in.
//
// golang.org/x/sync/singleflight would not do: forget must reach a call that
// is under way, and there a panic in the KEK would end the process.
type cache struct {
	age, deadline time.Duration
	unwrap        func(context.Context, oponn.BallotID, oponn.WrappedKey) (*dataKey, error)

	mu      sync.Mutex
	opened  *lru.Cache[oponn.BallotID, entry]
	flights map[oponn.BallotID]*flight // the newest call of each ballot
}

// entry is one opened key.
type entry struct {
	key    *dataKey
	digest [sha256.Size]byte // of the wrapped key that it was opened from
	at     time.Time
}

func newCache(s settings) *cache {
	opened, err := lru.New[oponn.BallotID, entry](s.size)
	if err != nil {
		panic(err) // only for a size below 1, which WithCacheSize lets nobody ask for
	}
	return &cache{age: s.age, deadline: s.deadline, opened: opened, flights: make(map[oponn.BallotID]*flight)}
}

// open returns the ballot's key from the cache or from the KEK. Its errors are
// those of unwrap, and CodeKeysUnavailable when ctx or the deadline ends first.
func (c *cache) open(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (*dataKey, error) {
	d := digest(wrapped)
	c.mu.Lock()
	if key := c.get(ballot, d); key != nil {
		c.mu.Unlock()
		return key, nil
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
	return f.wait(ctx)
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
	if f.err == nil {
		c.add(ballot, f.digest, f.key)
	}
}

// get returns a key that is neither too old nor of another wrapped key, or
// nil. The caller holds mu.
func (c *cache) get(ballot oponn.BallotID, digest [sha256.Size]byte) *dataKey {
	e, ok := c.opened.Get(ballot)
	if !ok || e.digest != digest {
		return nil
	}
	if c.expired(e) {
		c.opened.Remove(ballot)
		return nil
	}
	return e.key
}

// add keeps a key and drops the oldest. The caller holds mu.
func (c *cache) add(ballot oponn.BallotID, digest [sha256.Size]byte, key *dataKey) {
	for {
		_, oldest, ok := c.opened.GetOldest()
		if !ok || !c.expired(oldest) {
			break
		}
		c.opened.RemoveOldest()
	}
	c.opened.Add(ballot, entry{key: key, digest: digest, at: time.Now()})
}

func (c *cache) expired(e entry) bool { return time.Since(e.at) >= c.age }

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
