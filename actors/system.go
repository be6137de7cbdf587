package actors

import (
	"context"
	"encoding/binary"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// System is the runtime: the tree of actors behind a small façade. Its methods
// are safe for concurrent use.
type System struct {
	cfg       Config
	framework *actor.ActorSystem
	root      *actor.RootContext
	admission *admission
	meters    *meters
	crew      crew
	inbox     *inbox
	presence  *presence
	patience  patience
	loads     chan struct{} // bounds concurrent looks into the store
	tasks     sync.WaitGroup
	committed atomic.Uint64
	started   time.Time
	votes     ledger // committed
	frames    ledger // handed to viewers
	failing   failing

	top      *actor.PID
	registry *actor.PID
	streams  *actor.PID
	relay    *actor.PID
	writers  []*actor.PID
}

// maxLoads is how many ballots are woken at the same time.
const maxLoads = 64

// Start starts the tree of actors. Drain ends it.
func Start(cfg Config) (*System, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	meters := newMeters(cfg.Meter)
	quiet := slog.New(levelFloor{cfg.Logger.Handler()})
	framework := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	s := &System{cfg: cfg, framework: framework, root: framework.Root, started: time.Now(),
		admission: newAdmission(cfg.MaxInFlight, cfg.MaxPerBallot, meters.shed), meters: meters,
		inbox:    newInbox(),
		loads:    make(chan struct{}, maxLoads),
		registry: framework.NewLocalPID("oponn/ballots"),
		streams:  framework.NewLocalPID("oponn/streams"),
		relay:    framework.NewLocalPID("oponn/relay")}
	for n := range cfg.Writers {
		s.writers = append(s.writers, framework.NewLocalPID("oponn/writers/writer/"+strconv.Itoa(n)))
	}
	s.limits(oponn.Metered(cfg.Meter))
	framework.EventStream.Subscribe(s.deadLetter)
	s.presence = newPresence(func(notice oponn.Notice) { s.root.Send(s.relay, &callRoll{notice: notice}) })
	s.inbox.wake = func() { s.root.Send(s.relay, &received{}) }
	var grown sync.WaitGroup
	grown.Add(2)
	top, err := s.root.SpawnNamed(s.supervisor(s.grow(sync.OnceFunc(grown.Done), sync.OnceFunc(grown.Done))), "oponn")
	if err != nil {
		return nil, err
	}
	s.top = top
	grown.Wait()
	cfg.Bus.Receive(func(notice oponn.Notice) {
		if notice.Roll != nil {
			s.presence.hear(notice.Ballot, *notice.Roll, time.Now())
			return
		}
		if notice.Age != nil && notice.Age.Instance == s.presence.instance {
			return
		}
		s.inbox.put(notice)
	})
	if bus, ok := cfg.Bus.(resyncer); ok {
		bus.Resynced(s.inbox.resynced)
	}
	return s, nil
}

// grow is the actor at the top: it spawns the supervisors, and says when they
// and the writers can be sent to.
func (s *System) grow(supervisors, writers func()) actor.ReceiveFunc {
	return onStart(func(ctx actor.Context) {
		spawn(ctx, "relay", s.relayProps())
		spawn(ctx, "writers", s.supervisor(onStart(func(ctx actor.Context) {
			for n := range s.cfg.Writers {
				spawn(ctx, "writer/"+strconv.Itoa(n), s.writerProps())
			}
			writers()
		})))
		spawn(ctx, "streams", s.streamsProps())
		spawn(ctx, "ballots", s.props("registry", func() actor.Actor { return newRegistry(s) }, actor.WithSupervisor(restartSoon{})))
		supervisors()
	})
}

// supervisor returns how to make an actor that looks after others.
func (s *System) supervisor(do actor.ReceiveFunc) *actor.Props {
	return s.props("supervisor", func() actor.Actor { return do }, actor.WithSupervisor(restartSoon{}))
}

// onStart is an actor that only spawns others.
func onStart(do func(ctx actor.Context)) actor.ReceiveFunc {
	return func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			do(ctx)
		}
	}
}

func spawn(ctx actor.Context, name string, props *actor.Props) {
	if _, err := ctx.SpawnNamed(props, name); err != nil {
		panic(err) // names are taken once: a fault of ours
	}
}

// writer returns the writer of a ballot: always the same one.
func (s *System) writer(ballot oponn.BallotID) *actor.PID {
	return s.writers[binary.BigEndian.Uint32(ballot[:])%uint32(len(s.writers))]
}

// Committed returns how many votes have been committed since Start, repeats
// and refused ones among them.
func (s *System) Committed() uint64 { return s.committed.Load() }

// Waiting returns how many requests to ballots have no answer yet.
func (s *System) Waiting() int {
	waiting, _ := s.admission.load()
	return waiting
}

// task runs what may block, outside any actor; Drain waits for it.
func (s *System) task(do func()) {
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		do()
	}()
}

// deadline returns a context for a request that has none of its own.
func (s *System) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.cfg.Deadline)
}

// deadLetter takes what the framework found nobody for.
func (s *System) deadLetter(event any) {
	if letter, ok := event.(*actor.DeadLetterEvent); ok {
		s.lost(letter.Message)
	}
}

// lost answers what reached nobody, so that nobody waits for it.
func (s *System) lost(message any) {
	s.meters.letters[letterKind(message)].Add(1)
	switch m := message.(type) {
	case asked:
		m.refuse(errBusy("Please try again."))
	case *appendBatch:
		m.job.from.PostUserMessage(&committed{job: m.job, Appended: &oponn.Appended{Err: errBusy("Please try again.")}})
	case *committed:
		m.job.refuse(errUnknown(nil))
	case *join:
		m.sub.PostUserMessage(&rejoin{})
	case *lookAtBallot: // it has just fallen asleep
		m.show(asleep(m.ballot))
	}
}

// levelFloor keeps the framework's chatter out of the log: it calls its own
// start and every dead letter information.
type levelFloor struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h levelFloor) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// alone says whether no other instance could hear of what happens here.
func (s *System) alone() bool {
	bus, ok := s.cfg.Bus.(interface{ Alone() bool })
	return ok && bus.Alone()
}
