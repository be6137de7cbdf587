package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// DegradedError is the error of a bus that works in part or not at all. Votes go
// on: viewers elsewhere are served from the store, about a second later.
type DegradedError struct {
	Since time.Time
	Cause error
}

// Error implements error.
func (d *DegradedError) Error() string {
	return fmt.Sprintf("redis is not reached since %s: %v", d.Since.UTC().Format(time.RFC3339), d.Cause)
}

// Unwrap returns the cause.
func (d *DegradedError) Unwrap() error { return d.Cause }

// health keeps what fails, and says in the log when that begins and ends.
type health struct {
	logger *slog.Logger

	mu     sync.Mutex
	failed map[string]*DegradedError // by part
	told   bool                      // the log knows
}

var errConnecting = errors.New("connecting")

// pending notes a part that is about to begin.
func (h *health) pending(part string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed[part] == nil {
		h.failed[part] = &DegradedError{Since: time.Now(), Cause: errConnecting}
	}
}

func (h *health) failing(part string, cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since := time.Now()
	if before := h.failed[part]; before != nil {
		since = before.Since
	}
	h.failed[part] = &DegradedError{Since: since, Cause: cause}
	if !h.told {
		h.told = true
		h.logger.Warn("redis is not reached", "part", part, "error", cause)
	}
}

func (h *health) well(part string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.failed[part]
	if before == nil {
		return
	}
	delete(h.failed, part)
	if len(h.failed) == 0 && h.told {
		h.told = false
		h.logger.Info("redis is reached again", "after", time.Since(before.Since))
	}
}

// quiet sends what go-redis says by itself, to standard error and
// about every attempt, to the log of the first bus, as details.
func quiet(logger *slog.Logger) {
	quieting.Do(func() { redis.SetLogger(details{logger}) })
}

var quieting sync.Once

type details struct{ *slog.Logger }

// Printf implements the logger of go-redis.
func (d details) Printf(ctx context.Context, format string, v ...any) {
	d.DebugContext(ctx, "go-redis", "says", fmt.Sprintf(format, v...))
}

// check returns what has failed for longest.
func (h *health) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var first *DegradedError
	for _, d := range h.failed {
		if first == nil || d.Since.Before(first.Since) {
			first = d
		}
	}
	if first == nil {
		return nil
	}
	return first
}
