package logging

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Escape sequences of a terminal.
const (
	plain  = "\x1b[0m"
	muted  = "\x1b[2m"
	bold   = "\x1b[1m"
	purple = "\x1b[38;2;155;114;203m"
	amber  = "\x1b[33m"
	red    = "\x1b[31m"
)

// keyStack is the attribute with a stack, which is written below its line.
const keyStack = "stack"

// pretty writes a line for people: time, level, message, and the rest in a low
// voice. What it is given is quoted where a terminal would take it for a
// command.
type pretty struct {
	level slog.Leveler
	to    *shared
	given []byte // attributes of WithAttrs, as they are written
	group string // the prefix of keys
}

// shared is a writer of several handlers.
type shared struct {
	mu sync.Mutex
	io.Writer
}

func newPretty(to io.Writer, level slog.Leveler) *pretty {
	return &pretty{level: level, to: &shared{Writer: to}}
}

// Enabled implements slog.Handler.
func (p *pretty) Enabled(_ context.Context, level slog.Level) bool { return level >= p.level.Level() }

// WithAttrs implements slog.Handler.
func (p *pretty) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *p
	given := bytes.NewBuffer(bytes.Clone(p.given))
	for _, a := range attrs {
		writeAttr(given, p.group, a)
	}
	with.given = given.Bytes()
	return &with
}

// WithGroup implements slog.Handler.
func (p *pretty) WithGroup(name string) slog.Handler {
	with := *p
	if name != "" {
		with.group += name + "."
	}
	return &with
}

// Handle implements slog.Handler.
func (p *pretty) Handle(_ context.Context, r slog.Record) error {
	var out, rest bytes.Buffer
	var stack string
	rest.Write(p.given)
	message := printable(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == keyStack && a.Value.Kind() == slog.KindString:
			stack = a.Value.String()
		case a.Key == keyRepeated:
			message += " " + muted + "repeated " + grouped(a.Value.String()) + " times" + plain
		default:
			writeAttr(&rest, p.group, a)
		}
		return true
	})
	out.WriteString(muted + r.Time.Format("15:04:05.000") + plain + " " + badge(r.Level) + " " + message)
	if rest.Len() > 0 {
		out.WriteString(" " + muted + rest.String() + plain)
	}
	out.WriteByte('\n')
	for frame := range strings.Lines(strings.TrimSpace(stack)) {
		out.WriteString(muted + "    " + printable(strings.ReplaceAll(strings.TrimRight(frame, "\n"), "\t", "  ")) + plain + "\n")
	}
	p.to.mu.Lock()
	defer p.to.mu.Unlock()
	_, err := p.to.Write(out.Bytes())
	return err
}

// badge is a level in five characters.
func badge(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return bold + red + "error" + plain
	case level >= slog.LevelWarn:
		return amber + "warn " + plain
	case level >= slog.LevelInfo:
		return purple + "info " + plain
	default:
		return muted + "debug" + plain
	}
}

// writeAttr writes an attribute, and those of a group one by one.
func writeAttr(to *bytes.Buffer, group string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range value.Group() {
			writeAttr(to, group, member)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	if to.Len() > 0 {
		to.WriteByte(' ')
	}
	to.WriteString(printable(group+a.Key) + "=" + spoken(value))
}

// spoken is a value as people write it.
func spoken(value slog.Value) string {
	switch value.Kind() {
	case slog.KindDuration:
		return round(value.Duration()).String()
	case slog.KindTime:
		return value.Time().Format(time.RFC3339)
	default:
		text := value.String()
		if text == "" || strings.ContainsAny(text, " \"=") || printable(text) != text {
			return strconv.Quote(text)
		}
		return text
	}
}

// round leaves three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	default:
		return d
	}
}

// printable leaves out what a terminal would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}

// grouped writes 1234 as 1,234.
func grouped(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
