package http_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

// faults is the real runtime, but for what a test wants broken.
type faults struct {
	oponnhttp.Ballots

	mu     sync.Mutex
	create func() error
	cast   func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error)
	// castThen is what CastThen does instead; else it meets the fault of Cast.
	castThen func(told func(oponn.Casting)) error
	result   func() error
	voted    func() error
	watch    func(oponn.Viewer) error
	// runtime opens streams instead of the real one.
	runtime func(oponn.Viewer) oponn.Stream
	owned   func() error
	change  func() error
	// named is told the ids of requests that cast or ask for results.
	named func(id string)
	// behind is what is shown to whoever has seen no more, as by an instance
	// that has not heard of what came after.
	behind *oponn.Snapshot
}

func (f *faults) set(change func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func fault[F any](f *faults, pick func(*faults) F) F {
	f.mu.Lock()
	defer f.mu.Unlock()
	return pick(f)
}

func (f *faults) Create(ctx context.Context, draft oponn.Draft, owner oponn.OwnerID) (oponn.Created, error) {
	if broken := fault(f, func(f *faults) func() error { return f.create }); broken != nil {
		return oponn.Created{}, broken()
	}
	return f.Ballots.Create(ctx, draft, owner)
}

func (f *faults) name(ctx context.Context) {
	if tell := fault(f, func(f *faults) func(string) { return f.named }); tell != nil {
		tell(oponn.RequestID(ctx))
	}
}

func (f *faults) Cast(ctx context.Context, cast oponn.Cast) (oponn.Receipt, error) {
	f.name(ctx)
	do := func() (oponn.Receipt, error) { return f.Ballots.Cast(ctx, cast) }
	if broken := fault(f, func(f *faults) func(func() (oponn.Receipt, error)) (oponn.Receipt, error) { return f.cast }); broken != nil {
		return broken(do)
	}
	return do()
}

func (f *faults) CastThen(ctx context.Context, cast oponn.Cast, told func(oponn.Casting)) error {
	f.name(ctx)
	if broken := fault(f, func(f *faults) func(func(oponn.Casting)) error { return f.castThen }); broken != nil {
		return broken(told)
	}
	broken := fault(f, func(f *faults) func(func() (oponn.Receipt, error)) (oponn.Receipt, error) { return f.cast })
	if broken == nil {
		return f.Ballots.CastThen(ctx, cast, told)
	}
	go f.castLater(func() (oponn.Receipt, error) {
		return broken(func() (oponn.Receipt, error) { return f.Ballots.Cast(ctx, cast) })
	}, told)
	return nil
}

// castLater is where a vote of the reactor's connections meets the fault of Cast,
// which may wait.
func (f *faults) castLater(cast func() (oponn.Receipt, error), told func(oponn.Casting)) {
	receipt, err := cast()
	told(casting(func() (oponn.Receipt, error) { return receipt, err }))
}

// casting is a vote whose fate is found out when it is asked for.
type casting func() (oponn.Receipt, error)

func (c casting) Receipt() (oponn.Receipt, error) { return c() }

func (f *faults) Result(ctx context.Context, ballot oponn.BallotID, after uint64) (oponn.Snapshot, error) {
	f.name(ctx)
	if broken := fault(f, func(f *faults) func() error { return f.result }); broken != nil {
		return oponn.Snapshot{}, broken()
	}
	if old := fault(f, func(f *faults) *oponn.Snapshot { return f.behind }); old != nil && after <= old.Version {
		return *old, nil
	}
	return f.Ballots.Result(ctx, ballot, after)
}

func (f *faults) Voted(ctx context.Context, ballot oponn.BallotID, voter oponn.VoterID) (*oponn.Receipt, error) {
	if broken := fault(f, func(f *faults) func() error { return f.voted }); broken != nil {
		return nil, broken()
	}
	return f.Ballots.Voted(ctx, ballot, voter)
}

func (f *faults) Watch(ctx context.Context, ballot oponn.BallotID, viewer oponn.Viewer) (oponn.Stream, error) {
	if broken := fault(f, func(f *faults) func(oponn.Viewer) error { return f.watch }); broken != nil {
		if err := broken(viewer); err != nil {
			return nil, err
		}
	}
	if instead := fault(f, func(f *faults) func(oponn.Viewer) oponn.Stream { return f.runtime }); instead != nil {
		return instead(viewer), nil
	}
	return f.Ballots.Watch(ctx, ballot, viewer)
}

func (f *faults) Owned(ctx context.Context, owner oponn.OwnerID, edge oponn.Edge, limit int) (oponn.OwnedPage, error) {
	if broken := fault(f, func(f *faults) func() error { return f.owned }); broken != nil {
		return oponn.OwnedPage{}, broken()
	}
	return f.Ballots.Owned(ctx, owner, edge, limit)
}

func (f *faults) Change(ctx context.Context, ballot oponn.BallotID, change oponn.Change) (oponn.Snapshot, error) {
	if broken := fault(f, func(f *faults) func() error { return f.change }); broken != nil {
		if err := broken(); err != nil {
			return oponn.Snapshot{}, err
		}
	}
	return f.Ballots.Change(ctx, ballot, change)
}

func unavailable(code oponn.Code) error {
	return oponn.Retryable(code, 2*time.Second, nil, "This part is broken in a test.")
}

// logLines keeps what was logged.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

// Write implements io.Writer; slog writes a line at once.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	return len(line), nil
}

func (l *logLines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

// find returns the lines with the message.
func (l *logLines) find(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for _, line := range l.lines {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// hand is a test in the place of a viewer's actor.
type hand struct {
	mu   sync.Mutex
	sink oponn.Sink
	done chan struct{} // closed when the stream is over
}

// Wake implements oponn.Stream. The sink itself may call it.
func (h *hand) Wake() { go h.do(func(oponn.Sink) {}) }

// do does something to the sink and lets it go on.
func (h *hand) do(what func(oponn.Sink)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.done:
		return
	default:
	}
	what(h.sink)
	if h.sink.Flush().Done {
		close(h.done)
	}
}

// byHand lets a test be the actor of the streams that are opened from now on.
func (w *world) byHand() <-chan *hand {
	w.handmade = true
	hands := make(chan *hand, 16)
	w.faults.set(func(f *faults) {
		f.runtime = func(v oponn.Viewer) oponn.Stream {
			h := &hand{sink: v.Sink, done: make(chan struct{})}
			hands <- h
			return h
		}
	})
	return hands
}
