package actors

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// inspectPatience is how long an inspection waits for actors: one that doesn't
// answer in this time is reported silent.
const inspectPatience = 500 * time.Millisecond

// Inspection is the tree of actors at a moment, for operators.
type Inspection struct {
	At, Started time.Time
	Committed   uint64  // votes, since the start
	Votes       float64 // committed per second
	Frames      float64 // handed to viewers per second
	// Waiting is how many requests have no answer yet, of MaxWaiting at most.
	Waiting, MaxWaiting int
	Draining            bool
	Writers             []WriterInspection
	Registry            Probe
	Awake, MaxAwake     int            // ballots in memory
	Hottest             []BallotVitals // those with the most votes and viewers
	Streams, MaxStreams int
	StreamsParent       Probe
	Relay               RelayInspection
}

// Probe is how an actor took a question: the time until its answer is the time
// that its messages wait. A silent one gave none.
type Probe struct {
	Delay  time.Duration
	Silent bool
}

// WriterInspection is one writer at a moment.
type WriterInspection struct {
	Probe
	Queue   int // batches that wait for the next transaction
	Writing bool
	Votes   float64       // per second
	Last    int           // votes in the last transaction
	Took    time.Duration // by the last transaction
}

// RelayInspection is the relay at a moment.
type RelayInspection struct {
	Probe
	Followed  int // ballots with viewers here
	Outbox    int // notices that wait for the bus
	Unreached bool
}

// BallotVitals are what a ballot in memory last did.
type BallotVitals struct {
	Ballot  oponn.BallotID
	Awake   time.Time // since when it is in memory
	Rate    float64   // votes committed per second
	Batch   int       // votes in the last batch
	Commit  time.Duration
	Screen  time.Duration // from a new state to the last viewer here
	Viewers int
	Err     string // the last error of store or keyring; empty for none
	ErrAt   time.Time
}

// States of a ballot's actor, as BallotInspection has them.
const (
	StateAsleep   = "asleep"
	StateLoading  = "loading"
	StateAwake    = "awake"
	StateRefusing = "refusing"
	StateSilent   = "silent" // it is in memory and doesn't answer
)

// BallotInspection is one ballot's actor at a moment. It has no text of the
// ballot's.
type BallotInspection struct {
	BallotVitals
	State   string
	Refusal string // why it refuses
	Status  oponn.Status
	Version uint64
	Voters  uint64
	Delay   time.Duration // until it answered
	Crashes int           // within the last seconds
	// Gathering votes wait for the next batch, Changes for one each, and Held
	// requests for the store's answer.
	Gathering, Changes, Held int
	// InFlight is how many votes the writer has, since InFlightSince, in so many
	// attempts.
	InFlight      int
	InFlightSince time.Time
	Attempts      int
	Groups        []GroupInspection
}

// GroupInspection is how many viewers see the same bytes.
type GroupInspection struct {
	Name    string
	Viewers int
}

// look asks an actor to show something of itself. The answer doesn't wait for
// the asker.
type look[T any] struct {
	sent  time.Time
	reply chan T // holds one
}

func newLook[T any]() look[T] { return look[T]{sent: time.Now(), reply: make(chan T, 1)} }

func (l look[T]) show(value T) {
	select {
	case l.reply <- value:
	default: // answered before
	}
}

// see waits for the answer.
func (l look[T]) see(ctx context.Context) (value T, probe Probe) {
	select {
	case value = <-l.reply:
		return value, Probe{Delay: time.Since(l.sent)}
	case <-ctx.Done():
		return value, Probe{Silent: true}
	}
}

// Questions to the actors.
type (
	lookAtWriter struct{ look[WriterInspection] }
	lookAtRelay  struct{ look[RelayInspection] }
	// lookAround asks the registry for what all of its ballots have to show.
	lookAround struct{ look[[]*exhibit] }
	// lookAtBallot asks one ballot, by way of the registry, which answers for
	// one that sleeps.
	lookAtBallot struct {
		look[shownBallot]
		ballot oponn.BallotID
	}
	lookAtAudience struct{ look[[]GroupInspection] }
	// layDown asks the registry to put a ballot to sleep; the answer is whether
	// it sleeps.
	layDown struct {
		look[bool]
		ballot oponn.BallotID
	}
)

// shownBallot is a ballot's answer, and whom to ask about its audience.
type shownBallot struct {
	BallotInspection
	audience *actor.PID
}

// Inspect returns the tree of actors as it is now, with at most the given
// number of ballots. It takes as long as the slowest of the actors asked, and
// half a second at most.
func (s *System) Inspect(ctx context.Context, hottest int) Inspection {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	around, relay := &lookAround{newLook[[]*exhibit]()}, &lookAtRelay{newLook[RelayInspection]()}
	streams := &countStreams{reply: make(chan int, 1)}
	counted := look[int]{sent: time.Now(), reply: streams.reply}
	s.root.Send(s.registry, around)
	s.root.Send(s.relay, relay)
	s.root.Send(s.streams, streams)
	writers := make([]*lookAtWriter, len(s.writers))
	for i, pid := range s.writers {
		writers[i] = &lookAtWriter{newLook[WriterInspection]()}
		s.root.Send(pid, writers[i])
	}
	now := time.Now()
	seen := Inspection{At: now, Started: s.started, Committed: s.Committed(), Votes: s.votes.rate(now), Frames: s.frames.rate(now),
		MaxWaiting: s.cfg.MaxInFlight, MaxAwake: s.cfg.MaxAwake, MaxStreams: s.cfg.MaxStreams}
	seen.Waiting, seen.Draining = s.admission.load()
	for _, w := range writers {
		view, probe := w.see(ctx)
		view.Probe = probe
		seen.Writers = append(seen.Writers, view)
	}
	var ballots []*exhibit
	ballots, seen.Registry = around.see(ctx)
	seen.Awake, seen.Hottest = len(ballots), hottestOf(ballots, hottest, now)
	seen.Streams, seen.StreamsParent = counted.see(ctx)
	var probe Probe
	seen.Relay, probe = relay.see(ctx)
	seen.Relay.Probe = probe
	return seen
}

// hottestOf returns the ballots that most is happening on.
func hottestOf(all []*exhibit, most int, now time.Time) []BallotVitals {
	read := make([]BallotVitals, len(all))
	for i, v := range all {
		read[i] = v.read(now)
	}
	// A rate fades and is never quite nothing: less than a vote in ten seconds
	// is not what makes a ballot hot.
	heat := func(v BallotVitals) int64 { return int64(v.Rate * 10) }
	slices.SortFunc(read, func(a, b BallotVitals) int {
		return cmp.Or(cmp.Compare(heat(b), heat(a)), cmp.Compare(b.Viewers, a.Viewers),
			b.Awake.Compare(a.Awake), slices.Compare(a.Ballot[:], b.Ballot[:]))
	})
	return slices.Clone(read[:min(most, len(read))])
}

// InspectBallot returns one ballot's actor as it is now. It neither wakes the
// ballot nor keeps it awake.
func (s *System) InspectBallot(ctx context.Context, ballot oponn.BallotID) BallotInspection {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	m := &lookAtBallot{look: newLook[shownBallot](), ballot: ballot}
	s.root.Send(s.registry, m)
	shown, probe := m.see(ctx)
	if probe.Silent {
		return BallotInspection{BallotVitals: BallotVitals{Ballot: ballot}, State: StateSilent}
	}
	seen := shown.BallotInspection
	seen.Delay = probe.Delay
	if shown.audience != nil {
		a := &lookAtAudience{newLook[[]GroupInspection]()}
		s.root.Send(shown.audience, a)
		seen.Groups, _ = a.see(ctx)
	}
	return seen
}

// Wake has a ballot loaded, if it isn't. Errors are those of Result.
func (s *System) Wake(ctx context.Context, ballot oponn.BallotID) error {
	_, err := s.Result(ctx, ballot, 0)
	return err
}

// Sleep puts a ballot to sleep as if it had been idle for long, and says
// whether it sleeps: one that somebody watches, or that has votes under way,
// stays awake. Nothing is lost either way.
func (s *System) Sleep(ctx context.Context, ballot oponn.BallotID) (asleep bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	m := &layDown{look: newLook[bool](), ballot: ballot}
	s.root.Send(s.registry, m)
	asleep, probe := m.see(ctx)
	if probe.Silent {
		return false, errors.New("the ballot did not answer in time")
	}
	return asleep, nil
}
