package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/historytest"
	"github.com/oponn/oponn/persistence/storetest"
)

// point is where in a transaction an instance dies.
type point int

const (
	nowhere point = iota
	beforeCommit
	afterCommit // before the store has said so
	beforeReply // when the store has said so
)

// mortal is an instance that may die, as by kill -9: from then on it writes
// nothing, tells nobody anything, and what it says to clients gets lost.
type mortal struct {
	*actors.System
	memory *storetest.Memory
	keys   *touchyKeys

	mu   sync.Mutex
	at   point
	dead bool
}

var errDead = oponn.Errorf(oponn.CodeStoreUnavailable, "This instance is dead.")

// mortalStore and mortalBus are the ports of a mortal.
type (
	mortalStore struct {
		oponn.Store
		m *mortal
	}
	mortalBus struct {
		oponn.Bus
		m *mortal
	}
)

// Append dies where it shall. Between decision and commit some time passes: who
// is answered then is answered too early.
func (s mortalStore) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	m := s.m
	batches = slices.Clone(batches)
	for i := range batches {
		decide := batches[i].Apply
		batches[i].Apply = func(g oponn.Ground) (oponn.Effect, error) {
			defer time.Sleep(time.Millisecond) // virtual time
			return decide(g)
		}
	}
	m.mu.Lock()
	at, dead := m.at, m.dead
	m.mu.Unlock()
	failed := slices.Repeat([]oponn.Appended{{Err: errDead}}, len(batches))
	switch {
	case dead:
		return failed
	case at == nowhere:
		return s.Store.Append(ctx, batches)
	case at == beforeCommit:
		m.memory.LoseNextCommit(false)
	}
	done := s.Store.Append(ctx, batches)
	m.die()
	if at == beforeReply {
		return done
	}
	return failed
}

// Load takes a while to arrive.
func (s mortalStore) Load(ctx context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	return distant{s.Store, 50 * time.Millisecond}.Load(ctx, ballot)
}

// Publish tells it the others later, one sooner than another, so that notices
// overtake each other; a dead instance tells nothing.
func (b mortalBus) Publish(ctx context.Context, notice oponn.Notice) error {
	if b.m.gone() {
		return nil
	}
	delay := time.Duration(notice.Head.Version*7%5) * 10 * time.Millisecond
	time.AfterFunc(delay, func() { _ = b.Bus.Publish(context.WithoutCancel(ctx), notice) })
	return nil
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) doom(at point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = at
}

func (m *mortal) gone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// stage is two instances on one store, of which the dead are replaced, and
// what their clients know.
type stage struct {
	history *historytest.History
	store   *storetest.Memory
	bus     *bus.Local
	joined  bool

	mu     sync.Mutex
	living [2]*mortal
	all    []*mortal
}

func newStage(t *testing.T, joined bool) *stage {
	t.Helper()
	s := &stage{history: historytest.New(), store: storetest.NewMemory(), bus: bus.NewLocal(), joined: joined}
	for i := range s.living {
		s.living[i] = s.start(t)
	}
	return s
}

// start starts an instance.
func (s *stage) start(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{memory: s.store.Sibling(), keys: &touchyKeys{Keyring: storetest.Keys()}}
	own := bus.NewLocal()
	if s.joined {
		own = s.bus.Join()
	}
	system, err := actors.Start(actors.Config{Store: mortalStore{m.memory, m}, Keys: m.keys, Bus: mortalBus{own, m},
		Logger: slog.New(slog.DiscardHandler), Deadline: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	m.System = system
	s.all = append(s.all, m)
	return m
}

// instance returns one that lives.
func (s *stage) instance(t *testing.T, n int) *mortal {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.living[n].gone() {
		s.living[n] = s.start(t)
	}
	return s.living[n]
}

// end drains all instances, the dead too: their goroutines have to go.
func (s *stage) end(t *testing.T) {
	t.Helper()
	for _, m := range s.all {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := m.Drain(ctx); err != nil {
			t.Errorf("Drain: %v", err)
		}
		cancel()
	}
	time.Sleep(time.Minute) // virtual time: timers and the framework's throttle end
}

// fateOf says what a client makes of an answer.
func fateOf(err error) historytest.Fate {
	switch oponn.CodeOf(err) {
	case "":
		return historytest.Accepted
	case oponn.CodeOutcomeUnknown:
		return historytest.Unknown
	case oponn.CodeAlreadyVoted, oponn.CodeVoteIDReused, oponn.CodeClosed:
		return historytest.Refused
	case oponn.CodeBusy, oponn.CodeStoreUnavailable:
		return historytest.Failed
	default:
		panic(fmt.Errorf("an answer that nobody can go on with: %w", err))
	}
}

// log reads what is kept of a ballot.
func (s *stage) log(t *testing.T, ballot oponn.BallotID) (log historytest.Log) {
	t.Helper()
	err := s.store.Scan(context.Background(), ballot, func(r oponn.Record) error {
		log.Head = r.Head.Version
		return nil
	}, func(v oponn.LoggedVote) error {
		log.Rows = append(log.Rows, historytest.Row{Position: v.Position, Version: v.Version, ID: v.ID.String()})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// onlooker is a viewer who notes what it is shown.
type onlooker struct {
	sink
	stage     *stage
	instance  *mortal
	ballot    oponn.BallotID
	name      string
	presented uint64
	seen      *atomic.Uint64 // over all streams, of which one may still be ending
	stream    oponn.Stream
}

// leave has nothing shown any more.
func (o *onlooker) leave() {
	o.mu.Lock()
	o.left = true
	o.mu.Unlock()
	o.stream.Wake()
}

func (o *onlooker) Offer(f *oponn.Frame) {
	if o.instance.gone() {
		return
	}
	o.sink.Offer(f)
	r := historytest.Read{Ballot: o.ballot.String(), Client: o.name, Presented: o.presented, Version: f.Version, Counts: make([]uint64, 2)}
	if _, err := fmt.Sscanf(string(f.Bytes), "%d %d %d", &r.Voters, &r.Counts[0], &r.Counts[1]); err != nil {
		panic(errors.New("a frame reads " + string(f.Bytes)))
	}
	o.stage.history.Look(r)
	for {
		seen := o.seen.Load()
		if seen >= f.Version || o.seen.CompareAndSwap(seen, f.Version) {
			return
		}
	}
}

// tallies is viewers whose frames say how many have voted for what, and the
// version: what says nothing new is not shown.
var tallies = &oponn.Group{Name: "tallies", Render: func(s oponn.Snapshot) ([]byte, int) {
	return fmt.Appendf(nil, "%d %d %d %d", s.State.Voters, s.State.Counts[0], s.State.Counts[1], s.Version), 0
}}
