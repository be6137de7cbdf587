package actors_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
)

// logged is what a system has logged: lines of JSON.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// line is what tests want to know of one.
type line struct{ Level, Msg, Kind, Message, Reason, Stack, Request string }

// read returns what was logged since it was last called.
func (l *logged) read(t *testing.T) (lines []line) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range strings.Lines(l.text.String()) {
		var found line
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, found)
	}
	l.text.Reset()
	return lines
}

// naming is a handler that adds the id of the request a line belongs to.
type naming struct{ slog.Handler }

func (n naming) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.String("request", oponn.RequestID(ctx)))
	return n.Handler.Handle(ctx, r)
}

// brittleSink panics when it is offered a frame.
type brittleSink struct{ sink }

func (s *brittleSink) Offer(*oponn.Frame) { panic("planted in a sink") }

func TestFailuresAreLoggedOnceWithTheirStack(t *testing.T) {
	log := &logged{}
	logging := func(c *actors.Config) { c.Logger = slog.New(naming{slog.NewJSONHandler(log, nil)}) }
	only := func(t *testing.T, kind, message, reason, frame, request string) {
		t.Helper()
		time.Sleep(10 * time.Second) // virtual time
		synctest.Wait()
		lines := log.read(t)
		if len(lines) != 1 {
			t.Fatalf("%d lines: %+v", len(lines), lines)
		}
		got := lines[0]
		if got.Level != "ERROR" || got.Kind != kind || got.Message != message || got.Reason != reason || got.Request != request || !strings.Contains(got.Stack, frame) {
			t.Errorf("got %+v", got)
		}
	}
	t.Run("of a ballot", func(t *testing.T) {
		inWorld(t, logging, func(w *world) {
			id := w.ballot()
			w.result(id) // it is awake
			_, err := w.Cast(oponn.WithRequestID(context.Background(), "4711"), w.keys.crasher(id))
			if oponn.CodeOf(err) != oponn.CodeBusy {
				t.Errorf("the crasher: %v", err)
			}
			only(t, "ballot", "*actors.castVote", "planted", "touchyKey.VoterTag", "4711")
		})
	})
	t.Run("of a subscriber", func(t *testing.T) {
		inWorld(t, logging, func(w *world) {
			s := &brittleSink{}
			stream, err := w.Watch(context.Background(), w.ballot(), oponn.Viewer{Group: counts, Sink: s})
			if err != nil {
				t.Fatal(err)
			}
			only(t, "subscriber", "*oponn.Frame", "planted in a sink", "brittleSink).Offer", "")
			if load := w.load(); load.Streams != 0 || s.ended() != oponn.EndFault {
				t.Errorf("%d streams, the viewer was told %q", load.Streams, s.ended())
			}
			stream.Wake()
		})
	})
	t.Run("of the audience", func(t *testing.T) {
		inWorld(t, logging, func(w *world) {
			id := w.ballot()
			broken := false
			group := &oponn.Group{Name: "broken", Render: func(s oponn.Snapshot) ([]byte, int) {
				if broken {
					broken = false
					panic("planted in a frame")
				}
				return render(s), 0
			}}
			s := &sink{}
			stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: group, Sink: s})
			if err != nil {
				t.Fatal(err)
			}
			defer s.leave(stream)()
			synctest.Wait()
			broken = true
			w.cast(vote(id, "1"))
			only(t, "audience", "*actors.fanOut", "planted in a frame", "frame", "")
			w.cast(vote(id, "1"))
			time.Sleep(time.Second) // virtual time
			if got := string(s.last().Bytes); got != "open 2" {
				t.Errorf("afterwards the viewer sees %q", got)
			}
		})
	})
}

// TestTransactionsNameARequest has the store see for whom it works.
func TestTransactionsNameARequest(t *testing.T) {
	watcher := &watchingStore{}
	inWorld(t, func(c *actors.Config) { watcher.Store, c.Store = c.Store, watcher }, func(w *world) {
		id := w.ballot()
		cast := func(request string) {
			if _, err := w.Cast(oponn.WithRequestID(context.Background(), request), vote(id, "1")); err != nil {
				t.Error(err)
			}
		}
		cast("0001")
		w.store.SetLatency(time.Second)
		var casting sync.WaitGroup
		casting.Go(func() { cast("0002") })
		time.Sleep(time.Millisecond) // virtual time
		for range 3 {
			casting.Go(func() { cast("0003") })
		}
		casting.Wait()
		w.cast(vote(id, "1"))
		if got := strings.Join(watcher.seen, " "); got != "0001 0002 0003+2 " {
			t.Errorf("the store worked for %q", got)
		}
	})
}

// watchingStore notes for whom it appends; one at a time.
type watchingStore struct {
	oponn.Store
	seen []string
}

func (s *watchingStore) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	s.seen = append(s.seen, oponn.RequestID(ctx))
	return s.Store.Append(ctx, batches)
}
