package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// repeatWindow is how long lines with one message are counted together.
	repeatWindow = 10 * time.Second
	// repeatLimit is how many of them are written.
	repeatLimit = 10
	// maxRepeats is how many messages are known at a time. Messages are
	// constants of the program: there are fewer.
	maxRepeats = 1000
	// keyRepeated is the attribute of the line that says how many were not.
	keyRepeated = "repeated"
)

// thrifty is a handler that writes the first lines of a level and message, and
// at the end of the window says how many more there were. Details are asked for
// and written, all of them.
type thrifty struct {
	slog.Handler
	repeats *repeats
}

// Handle implements slog.Handler.
func (h thrifty) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo || h.repeats.pass(r, h.Handler) {
		return h.Handler.Handle(ctx, r)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h thrifty) WithAttrs(attrs []slog.Attr) slog.Handler {
	return thrifty{h.Handler.WithAttrs(attrs), h.repeats}
}

// WithGroup implements slog.Handler.
func (h thrifty) WithGroup(name string) slog.Handler {
	return thrifty{h.Handler.WithGroup(name), h.repeats}
}

// repeats counts lines by what they say.
type repeats struct {
	always map[string]bool

	mu     sync.Mutex
	counts map[line]*count
}

// line is what is alike in lines that repeat.
type line struct {
	level   slog.Level
	message string
}

// count is of one window.
type count struct {
	line
	ends    time.Time
	written int
	held    int
	handler slog.Handler // of the first line that was held
	timer   *time.Timer  // nil: nothing is held
}

func newRepeats(always []string) *repeats {
	r := &repeats{always: make(map[string]bool), counts: make(map[line]*count)}
	for _, message := range always {
		r.always[message] = true
	}
	return r
}

// pass says whether a line is to be written; else it is counted.
func (r *repeats) pass(record slog.Record, handler slog.Handler) bool {
	if r.always[record.Message] {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.count(line{record.Level, record.Message}, time.Now())
	if c == nil || c.written < repeatLimit {
		if c != nil {
			c.written++
		}
		return true
	}
	if c.held++; c.timer == nil {
		c.handler = handler
		c.timer = time.AfterFunc(time.Until(c.ends), func() { r.end(c) })
	}
	return false
}

// count returns the count of a line; nil when there is no room for another.
func (r *repeats) count(of line, now time.Time) *count {
	c := r.counts[of]
	if c != nil && (c.timer != nil || now.Before(c.ends)) {
		return c
	}
	if c == nil && len(r.counts) >= maxRepeats {
		for l, old := range r.counts {
			if old.timer == nil && !now.Before(old.ends) {
				delete(r.counts, l)
			}
		}
		if len(r.counts) >= maxRepeats {
			return nil
		}
	}
	c = &count{line: of, ends: now.Add(repeatWindow)}
	r.counts[of] = c
	return c
}

// end ends a window in which lines were held.
func (r *repeats) end(c *count) {
	r.mu.Lock()
	ours := r.counts[c.line] == c
	if ours {
		delete(r.counts, c.line)
	}
	r.mu.Unlock()
	if ours {
		c.tell()
	}
}

// flush ends all windows.
func (r *repeats) flush() {
	r.mu.Lock()
	ended := r.counts
	r.counts = make(map[line]*count)
	r.mu.Unlock()
	for _, c := range ended {
		if c.timer != nil {
			c.timer.Stop()
			c.tell()
		}
	}
}

// tell writes how many lines were held. Nobody counts here any more.
func (c *count) tell() {
	record := slog.NewRecord(time.Now(), c.level, c.message, 0)
	record.AddAttrs(slog.Int(keyRepeated, c.held))
	_ = c.handler.Handle(context.Background(), record) // a log that can't be written can't say so
}
