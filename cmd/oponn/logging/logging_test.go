package logging_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/cmd/oponn/logging"
)

// entry is a line of JSON.
type entry struct {
	Level, Msg, Request, Kind string
	Repeated                  int
}

// paper is what was written and not read yet.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// read returns what was written since it was last called.
func (p *paper) read() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.text.Reset()
	return p.text.String()
}

func entries(t *testing.T, out *paper) (found []entry) {
	t.Helper()
	for line := range strings.Lines(out.read()) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		found = append(found, e)
	}
	return found
}

func TestLog_RepeatedLinesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out paper
		log := logging.New(logging.Config{To: &out})
		for range 1244 {
			log.Warn("request refused", "code", "busy")
		}
		log.Error("request refused") // another level is another line
		log.Info("serving")
		got := entries(t, &out)
		if len(got) != 12 || got[10].Level != "ERROR" || got[11].Msg != "serving" {
			t.Errorf("%d lines at first: %+v", len(got), got)
		}
		time.Sleep(10 * time.Second) // virtual time
		synctest.Wait()
		if got = entries(t, &out); len(got) != 1 || got[0] != (entry{Level: "WARN", Msg: "request refused", Repeated: 1234}) {
			t.Errorf("after the window: %+v", got)
		}
		log.Warn("request refused")
		if got = entries(t, &out); len(got) != 1 || got[0].Repeated != 0 {
			t.Errorf("the next window begins with %+v", got)
		}
		time.Sleep(time.Minute) // virtual time
		synctest.Wait()
		if text := out.read(); text != "" {
			t.Errorf("nothing was held, and yet: %s", text)
		}
	})
}

func TestLog_FlushTellsWhatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out paper
		log := logging.New(logging.Config{To: &out})
		part := log.With("kind", "ballot")
		for range 15 {
			part.Error("actor failed")
		}
		entries(t, &out)
		log.Flush()
		log.Flush()
		if got := entries(t, &out); len(got) != 1 || got[0] != (entry{Level: "ERROR", Msg: "actor failed", Kind: "ballot", Repeated: 5}) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestLog_WhatIsNeverMerelyCounted(t *testing.T) {
	var out paper
	log := logging.New(logging.Config{To: &out, Level: slog.LevelDebug, Always: []string{"ballot reported"}})
	for range 100 {
		log.Warn("ballot reported")
		log.Debug("request")
	}
	if n := len(entries(t, &out)); n != 200 {
		t.Errorf("%d lines, want all 200", n)
	}
}

// TestLog_RemembersSoMuch logs more messages than are remembered: none of them
// is lost.
func TestLog_RemembersSoMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out paper
		log := logging.New(logging.Config{To: &out})
		for round := range 2 {
			for i := range 1500 {
				log.Error(fmt.Sprint("message ", i)) //nolint:sloglint // more than a program has
			}
			if n := len(entries(t, &out)); n != 1500 {
				t.Errorf("round %d: %d lines", round, n)
			}
			time.Sleep(time.Minute) // virtual time
		}
	})
}

func TestLog_Level(t *testing.T) {
	for _, form := range []logging.Form{logging.JSON, logging.Text, logging.Pretty} {
		var out paper
		log := logging.New(logging.Config{To: &out, Form: form, Level: slog.LevelWarn})
		log.Info("unheard")
		log.Level.Set(slog.LevelDebug)
		log.Debug("heard")
		if text := out.read(); strings.Contains(text, "unheard") || !strings.Contains(text, "heard") {
			t.Errorf("form %d: %s", form, text)
		}
	}
}

func TestLog_NamesTheRequest(t *testing.T) {
	var out paper
	log := logging.New(logging.Config{To: &out})
	ctx := oponn.WithRequestID(context.Background(), "4a6b")
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	log.InfoContext(inner, "by its context")
	log.InfoContext(inner, "by itself", "request", "0001")
	log.InfoContext(context.Background(), "of nobody")
	got := entries(t, &out)
	if len(got) != 3 || got[0].Request != "4a6b" || got[1].Request != "0001" || got[2].Request != "" {
		t.Errorf("got %+v", got)
	}
}

func TestPretty(t *testing.T) {
	var out paper
	log := logging.New(logging.Config{To: &out, Form: logging.Pretty})
	log.With("part", "bus").WithGroup("redis").Warn("not reached", "error", errors.New("no route"), "after", 1234567890*time.Nanosecond,
		slog.Group("pool", "size", 4))
	log.Error("actor failed", "reason", "a \x1b]0;title\a", "stack", "goroutine 1\n\tmain.go:1\n")
	for range 1244 {
		log.Info("again")
	}
	text := out.read()
	log.Flush()
	last := out.read()
	for _, want := range []string{
		`part=bus redis.error="no route" redis.after=1.23s redis.pool.size=4`,
		`reason="a \x1b]0;title\a"`, "    goroutine 1\x1b[0m\n", "      main.go:1\x1b[0m\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !strings.Contains(last, "again \x1b[2mrepeated 1,234 times") {
		t.Errorf("counted lines: %s", last)
	}
	if strings.Contains(text, "\x1b]") {
		t.Error("what was logged commands the terminal")
	}
}
