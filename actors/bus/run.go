package bus

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Run runs a script on this bus's Redis, for those who keep something there
// that may be lost. With Redis away it fails at once, or when the context ends.
func (r *Redis) Run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	r.mu.RLock()
	client, closed := r.client, r.closed
	r.mu.RUnlock()
	switch {
	case closed:
		return nil, errClosed
	case client == nil:
		return nil, fmt.Errorf("bus: run: %w", r.health.check())
	}
	return script.Run(ctx, client, keys, args...).Result()
}
