package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/persistence/storetest"
)

// world is one actor system on a simulated store, in virtual time.
type world struct {
	*actors.System
	t     *testing.T
	store *storetest.Memory
	bus   *bus.Local
	keys  *touchyKeys
	// metrics are those of a Config that has some.
	metrics *ops.Metrics
}

// inWorld runs a test in a bubble of virtual time, with a system that is
// drained at the end.
func inWorld(t *testing.T, tune func(*actors.Config), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.NewMemory(), bus.NewLocal(), tune)
		test(w)
		w.drain()
	})
}

func newWorld(t *testing.T, store *storetest.Memory, b *bus.Local, tune func(*actors.Config)) *world {
	t.Helper()
	keys := &touchyKeys{Keyring: storetest.Keys()}
	cfg := actors.Config{Store: store, Keys: keys, Bus: b, Logger: slog.New(slog.DiscardHandler)}
	if tune != nil {
		tune(&cfg)
	}
	system, err := actors.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := cfg.Meter.(*ops.Metrics)
	return &world{System: system, t: t, store: store, bus: b, keys: keys, metrics: metrics}
}

func (w *world) drain() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Drain(ctx); err != nil {
		w.t.Errorf("Drain: %v", err)
	}
	time.Sleep(time.Minute) // virtual time: timers and the framework's throttle end
}

// ballot opens a ballot with two options.
func (w *world) ballot(window ...oponn.Window) oponn.BallotID {
	w.t.Helper()
	draft := oponn.Draft{Question: "Tabs or spaces?", Options: []string{"tabs", "spaces"}, AllowWriteIn: true}
	if len(window) > 0 {
		draft.Window = window[0]
	}
	created, err := w.Create(context.Background(), draft, oponn.OwnerID{})
	if err != nil {
		w.t.Fatal(err)
	}
	return created.Snapshot.Ballot.ID
}

// vote returns a vote of a new voter for an option.
func vote(ballot oponn.BallotID, option oponn.OptionID) oponn.Cast {
	return oponn.Cast{Ballot: ballot, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), Choices: []oponn.OptionID{option}}
}

func (w *world) cast(c oponn.Cast) oponn.Receipt {
	w.t.Helper()
	receipt, err := w.Cast(context.Background(), c)
	if err != nil {
		w.t.Fatalf("Cast: %v", err)
	}
	return receipt
}

// castCode casts and returns the code of the error.
func (w *world) castCode(c oponn.Cast) oponn.Code {
	_, err := w.Cast(context.Background(), c)
	return oponn.CodeOf(err)
}

// retryAfter returns what an error tells its client to wait.
func retryAfter(err error) time.Duration {
	var e *oponn.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.RetryAfter
}

// castAll casts n votes of different voters at once and returns the answers.
func (w *world) castAll(ballot oponn.BallotID, n int) []error {
	errs := make([]error, n)
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() { _, errs[i] = w.Cast(context.Background(), vote(ballot, "1")) })
	}
	done.Wait()
	return errs
}

func (w *world) result(ballot oponn.BallotID) oponn.Snapshot {
	w.t.Helper()
	snapshot, err := w.Result(context.Background(), ballot, 0)
	if err != nil {
		w.t.Fatalf("Result: %v", err)
	}
	return snapshot
}

// expectVotes compares the tally, the log and the head with a number of votes.
func (w *world) expectVotes(ballot oponn.BallotID, want int) {
	w.t.Helper()
	if got := w.result(ballot).State.Voters; got != uint64(want) {
		w.t.Errorf("the result has %d voters, want %d", got, want)
	}
	var recount *oponn.Recount
	var record oponn.Record
	key, opened := oponn.Key(nil), (*oponn.Ballot)(nil)
	err := w.store.Scan(context.Background(), ballot, func(r oponn.Record) (err error) {
		record = r
		if key, err = w.keys.Open(context.Background(), ballot, r.Key); err != nil {
			return err
		}
		if opened, err = oponn.OpenBallot(r, key); err != nil {
			return err
		}
		writeIns, err := oponn.OpenWriteIns(key, r.WriteIns)
		recount = oponn.NewRecount(opened, writeIns)
		return err
	}, func(v oponn.LoggedVote) error { return recount.Add(v) })
	if err != nil {
		w.t.Fatalf("Scan: %v", err)
	}
	state, err := oponn.OpenState(key, record.Head)
	if err != nil {
		w.t.Fatal(err)
	}
	if differ := recount.Compare(record.Head, state); len(differ) > 0 {
		w.t.Errorf("head and log differ: %v", differ)
	}
	if record.Head.Voters != uint64(want) {
		w.t.Errorf("the store has %d voters, want %d", record.Head.Voters, want)
	}
}

func (w *world) load() actors.Load {
	w.t.Helper()
	load, err := w.Load(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return load
}

// sink is a viewer that takes everything at once, or nothing when stuck.
type sink struct {
	mu     sync.Mutex
	frames []oponn.Frame
	at     []time.Time
	beats  int
	end    oponn.EndReason
	endAt  time.Time
	stuck  bool
	left   bool
	closed bool
}

func (s *sink) Offer(f *oponn.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames, s.at = append(s.frames, *f), append(s.at, time.Now())
}

func (s *sink) Beat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats++
}

func (s *sink) End(reason oponn.EndReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != "" {
		panic("ended twice")
	}
	s.end, s.endAt = reason, time.Now()
}

func (s *sink) Flush() oponn.Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return oponn.Progress{Waiting: s.stuck, Done: s.left || !s.stuck && s.end != ""}
}

func (s *sink) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *sink) last() oponn.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frames) == 0 {
		return oponn.Frame{}
	}
	return s.frames[len(s.frames)-1]
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.frames)
}

func (s *sink) ended() oponn.EndReason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// rising fails when a version fell or came twice.
func (s *sink) rising(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.frames); i++ {
		if s.frames[i].Version <= s.frames[i-1].Version {
			t.Errorf("version %d follows %d", s.frames[i].Version, s.frames[i-1].Version)
		}
	}
}

// watch opens a stream whose frames say how many have voted.
func (w *world) watch(ballot oponn.BallotID, s *sink) (leave func()) {
	w.t.Helper()
	stream, err := w.Watch(context.Background(), ballot, oponn.Viewer{Group: counts, Sink: s})
	if err != nil {
		w.t.Fatalf("Watch: %v", err)
	}
	return s.leave(stream)
}

// leave returns how a sink's viewer leaves a stream.
func (s *sink) leave(stream oponn.Stream) func() {
	return func() {
		s.mu.Lock()
		s.left = true
		s.mu.Unlock()
		stream.Wake()
	}
}

// counts is viewers whose frames say how many have voted.
var counts = &oponn.Group{Name: "test", Render: func(s oponn.Snapshot) ([]byte, int) { return render(s), 0 }}

func render(s oponn.Snapshot) []byte {
	return fmt.Appendf(nil, "%s %d", s.State.Status, s.State.Voters)
}

// touchyKeys panics, or fails, when a marked voter comes: a ballot actor that
// seals this vote dies of it.
type touchyKeys struct {
	oponn.Keyring
	mu     sync.Mutex
	marked map[oponn.VoterID]bool
	fails  error // what Open answers
}

// fail makes Open fail from now on; nil mends it.
func (k *touchyKeys) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails = err
}

// crasher returns a vote that kills the ballot's actor.
func (k *touchyKeys) crasher(ballot oponn.BallotID) oponn.Cast {
	c := vote(ballot, "1")
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.marked == nil {
		k.marked = make(map[oponn.VoterID]bool)
	}
	k.marked[c.Voter] = true
	return c
}

func (k *touchyKeys) Open(ctx context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (oponn.Key, error) {
	k.mu.Lock()
	err := k.fails
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	key, err := k.Keyring.Open(ctx, ballot, wrapped)
	return touchyKey{key, k}, err
}

type touchyKey struct {
	oponn.Key
	keys *touchyKeys
}

func (k touchyKey) VoterTag(voter oponn.VoterID) oponn.VoterTag {
	k.keys.mu.Lock()
	defer k.keys.mu.Unlock()
	if k.keys.marked[voter] {
		panic(errors.New("planted"))
	}
	return k.Key.VoterTag(voter)
}
