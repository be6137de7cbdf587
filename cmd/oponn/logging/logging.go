// Package logging writes a process's log: JSON for programs, text for files,
// colours for people at a terminal. Lines that repeat are counted, a line that
// belongs to a request says so, and the level can be changed at any time.
package logging

import (
	"context"
	"io"
	"log/slog"

	"github.com/oponn/oponn"
)

// Form is how lines are written.
type Form int

// The forms.
const (
	JSON   Form = iota // an object a line
	Text               // key=value
	Pretty             // for eyes, with colours
)

// Config says what to log, and how.
type Config struct {
	To    io.Writer
	Form  Form
	Level slog.Level
	// Always are the messages of lines that are never merely counted, however
	// many there are.
	Always []string
}

// Log is a logger and what can be done to it. It is safe for concurrent use.
type Log struct {
	*slog.Logger
	// Level is the least level that is written.
	Level *slog.LevelVar

	repeats *repeats
}

// New returns a log.
func New(cfg Config) *Log {
	l := &Log{Level: new(slog.LevelVar), repeats: newRepeats(cfg.Always)}
	l.Level.Set(cfg.Level)
	var lines slog.Handler
	switch options := (&slog.HandlerOptions{Level: l.Level}); cfg.Form {
	case Pretty:
		lines = newPretty(cfg.To, l.Level)
	case Text:
		lines = slog.NewTextHandler(cfg.To, options)
	default:
		lines = slog.NewJSONHandler(cfg.To, options)
	}
	l.Logger = slog.New(thrifty{requested{lines}, l.repeats})
	return l
}

// Flush says how often the lines have come that were merely counted so far.
func (l *Log) Flush() { l.repeats.flush() }

// keyRequest is the attribute with a request's id.
const keyRequest = "request"

// requested adds the id of the request that a line belongs to, unless the line
// has it.
type requested struct{ slog.Handler }

// Handle implements slog.Handler.
func (h requested) Handle(ctx context.Context, r slog.Record) error {
	id := oponn.RequestID(ctx)
	if id == "" {
		return h.Handler.Handle(ctx, r)
	}
	known := false
	r.Attrs(func(a slog.Attr) bool {
		known = a.Key == keyRequest
		return !known
	})
	if !known {
		r = r.Clone()
		r.AddAttrs(slog.String(keyRequest, id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h requested) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requested{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requested) WithGroup(name string) slog.Handler { return requested{h.Handler.WithGroup(name)} }
