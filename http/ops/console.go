package ops

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/console"
)

// Console is what the live console is about. Runtime and Assets are required.
type Console struct {
	Runtime Runtime
	// Assets are the style sheets and scripts.
	Assets *views.Assets
	// Name is this instance's among all, Version that of the program.
	Name, Version string
	// Roster is where instances tell of themselves; nil when this is the only
	// one.
	Roster oponn.Roster
}

// Runtime is what the console looks at and acts on. It is safe for concurrent
// use.
type Runtime interface {
	// Load returns how much the instance carries, at next to no cost.
	Load(ctx context.Context) (Load, error)

	// Look returns the tree of actors with at most so many ballots, the hottest
	// ones: Tree, Hottest, Committed, and of Self what it carries.
	Look(ctx context.Context, hottest int) console.State

	// Ballot returns one ballot's actor. It neither wakes the ballot nor keeps
	// it awake.
	Ballot(ctx context.Context, ballot oponn.BallotID) console.Ballot

	// Wake has a ballot loaded. Errors are CodeNotFound, CodeGone, and those of
	// the store.
	Wake(ctx context.Context, ballot oponn.BallotID) error

	// Sleep puts a ballot to sleep, unless it is watched or voted on.
	Sleep(ctx context.Context, ballot oponn.BallotID) (asleep bool, err error)
}

// Load is how much an instance carries.
type Load struct {
	Committed      uint64 // votes, since the start
	Awake, Streams int
	Started        time.Time
}

const (
	// hottestShown is how many ballots the console lists.
	hottestShown = 12
	// lookLasts is how long one look serves all who look.
	lookLasts = 500 * time.Millisecond
	// tellWithin bounds what is asked of the roster.
	tellWithin = time.Second
)

// liveConsole is the console of a process. Nothing in it runs when nobody looks
// but the history.
type liveConsole struct {
	Console
	server  *Server
	metrics *Metrics
	log     *slog.Logger
	history history
	nudged  chan struct{}
	ended   chan struct{} // closed when streams have to end
	end     func()
	seats   chan struct{} // one for each who looks

	mu   sync.Mutex // held while one looks for all
	seen console.State
}

func newConsole(s *Server, cfg Console, metrics *Metrics) *liveConsole {
	ended := make(chan struct{})
	return &liveConsole{Console: cfg, server: s, metrics: metrics, log: s.log, nudged: make(chan struct{}, 1),
		ended: ended, end: sync.OnceFunc(func() { close(ended) }), seats: make(chan struct{}, maxLooking)}
}

// close ends the streams.
func (c *liveConsole) close() { c.end() }

// nudge has the next sample taken at once.
func (c *liveConsole) nudge() {
	select {
	case c.nudged <- struct{}{}:
	default:
	}
}

// Sample keeps the console's history, and tells other instances of this one,
// until the context ends.
func (s *Server) Sample(ctx context.Context) {
	if s.console == nil {
		return
	}
	turn := time.NewTicker(sampleEvery)
	defer turn.Stop()
	for {
		s.console.sample(ctx)
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		case <-s.console.nudged:
		}
	}
}

func (c *liveConsole) sample(ctx context.Context) {
	load, err := c.Runtime.Load(ctx)
	if err != nil {
		return // the runtime is a part of its own
	}
	votes := c.history.add(c.metrics.Read(sampled...), load.Committed, load.Streams)
	if c.Roster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	status, _ := c.server.status(ctx)
	err = c.Roster.Tell(ctx, oponn.Presence{Name: c.Name, Version: c.Version, Status: status, Started: load.Started,
		Votes: votes, Awake: load.Awake, Streams: load.Streams, Heard: time.Now()})
	if err != nil {
		c.log.Debug("instances not told", "error", err) // Redis is a part of its own
	}
}

// look returns the state of now, or of a moment ago.
func (c *liveConsole) look(ctx context.Context) console.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.seen.At) < lookLasts {
		return c.seen
	}
	seen := c.Runtime.Look(ctx, hottestShown)
	seen.At = time.Now()
	seen.Self.Name, seen.Self.Version, seen.Self.Heard, seen.Self.Self = c.Name, c.Version, seen.At, true
	seen.Self.Status, seen.Parts = c.parts(ctx)
	seen.Charts = c.history.charts()
	seen.Kinds = c.history.withDepths(c.metrics.Read(metricAlive, metricMailbox))
	seen.Instances, seen.Alone = c.instances(ctx, seen.Self)
	if ctx.Err() == nil {
		c.seen = seen
	}
	return seen
}

// parts returns how the instance and its parts are.
func (c *liveConsole) parts(ctx context.Context) (status string, parts []console.Part) {
	status, found := c.server.status(ctx)
	for _, p := range found {
		since, _ := time.Parse(time.RFC3339, p.Since) // zero: it is well
		parts = append(parts, console.Part{Name: p.Name, OK: p.OK, Error: p.Error, Since: since})
	}
	return status, parts
}

// instances returns all that are known of. This one is as it is seen here.
func (c *liveConsole) instances(ctx context.Context, self console.Instance) (all []console.Instance, alone bool) {
	if c.Roster == nil {
		return []console.Instance{self}, true
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	present, err := c.Roster.Present(ctx)
	all = append(all, self)
	for _, p := range present {
		if p.Name != self.Name {
			all = append(all, console.Instance{Name: p.Name, Version: p.Version, Status: p.Status, Started: p.Started,
				Votes: p.Votes, Awake: p.Awake, Streams: p.Streams, Heard: p.Heard})
		}
	}
	return all, err != nil
}
