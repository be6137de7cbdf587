package limit

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Scripts runs scripts in Redis. It is safe for concurrent use.
type Scripts interface {
	// Run runs a script, and returns soon after the context has ended.
	Run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error)
}

const (
	// answerTime is how long Redis may take to answer.
	answerTime = 50 * time.Millisecond
	// restTime is for how long it isn't asked after it did not.
	restTime = time.Second
	// purpose is the label of the key of keys (HKDF, RFC 5869).
	purpose = "oponn rate limit v1"
)

// gcra keeps for each key one number, the time at which its bucket will be full
// again, and so needs no list of what was taken when (the generic cell rate
// algorithm). What is full is not kept. It counts by the clock of Redis, in
// microseconds; to take a negative number is to give back.
var gcra = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step, units, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + n * step
local wait = full - units * step - now
if wait > 0 then return math.ceil(wait) end
if full <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
return 0`)

// Sharer makes limiters for all instances that have a Redis and a secret in
// common.
type Sharer struct {
	redis  Scripts
	prefix string // of names in Redis
	key    []byte // for names in Redis
}

// NewSharer returns a maker of limiters whose names in Redis begin with the
// namespace.
func NewSharer(scripts Scripts, namespace string, secret []byte) (*Sharer, error) {
	if len(secret) == 0 {
		return nil, errors.New("limit: sharing needs a secret")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("limit: derive the key of keys: %w", err)
	}
	return &Sharer{redis: scripts, prefix: namespace + ":limit:", key: key}, nil
}

// Limiter returns what keeps a budget: where that is to be shared, a *Shared,
// else a *Local.
func (s *Sharer) Limiter(b Budget) Limiter {
	local := NewLocal(b, Keys)
	if !b.Shared {
		return local
	}
	return &Shared{sharer: s, budget: b, local: local}
}

// Shared is a Limiter for all instances. Redis learns no keys: they are hashed
// under a key made of the secret. Where Redis doesn't answer in time, each
// instance counts for itself, with the same budget, for a second; then it asks
// again.
type Shared struct {
	sharer *Sharer
	budget Budget
	local  *Local
	rests  atomic.Int64 // until when Redis isn't asked, in nanoseconds since 1970
}

// Take implements Limiter. It never fails, and takes hardly longer than
// answerTime.
func (s *Shared) Take(ctx context.Context, key string, n int) (time.Duration, error) {
	wait, err := s.ask(ctx, key, n)
	if err != nil {
		return s.local.Take(ctx, key, n)
	}
	return wait, nil
}

// Return implements Limiter. It never fails.
func (s *Shared) Return(ctx context.Context, key string, n int) error {
	if _, err := s.ask(ctx, key, -n); err != nil {
		return s.local.Return(ctx, key, n)
	}
	return nil
}

var errResting = errors.New("limit: Redis did not answer a moment ago")

// ask asks Redis, unless it did not answer a moment ago.
func (s *Shared) ask(ctx context.Context, key string, n int) (time.Duration, error) {
	now := time.Now()
	if now.UnixNano() < s.rests.Load() {
		return 0, errResting
	}
	// Whoever leaves in the middle must not make it look as if Redis were away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	answer, err := s.sharer.redis.Run(ctx, gcra, []string{s.name(key)}, s.budget.step().Microseconds(), s.budget.Units, n)
	if err != nil {
		s.rests.Store(now.Add(restTime).UnixNano())
		return 0, err
	}
	micros, ok := answer.(int64)
	if !ok {
		return 0, fmt.Errorf("limit: the answer of Redis is %T", answer)
	}
	return time.Duration(micros) * time.Microsecond, nil
}

// name returns the name of a key in Redis: 128 bits that tell nothing to whoever
// lacks the secret.
func (s *Shared) name(key string) string {
	mac := hmac.New(sha256.New, s.sharer.key)
	_, _ = mac.Write([]byte(s.budget.Name + "\x00" + key)) // never fails
	return s.sharer.prefix + s.budget.Name + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
