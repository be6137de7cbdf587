package actors

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// crashWindow and maxCrashes say when a ballot's actor has crashed too often:
// it refuses then and is put to sleep, and the next message wakes a new one.
const (
	crashWindow = 10 * time.Second
	maxCrashes  = 8
)

// restartSoon restarts a failing child after a pause that doubles with every
// crash of the last ten seconds, from 10 ms to 640 ms, halved at random so that
// many don't come back at the same moment. (The framework's own backoff grows
// linearly.) Meanwhile its mailbox waits; admission bounds it.
type restartSoon struct{}

// HandleFailure implements actor.SupervisorStrategy.
func (restartSoon) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	stats *actor.RestartStatistics, _, _ any) {
	if stats.NumberOfFailures(crashWindow) == 0 {
		stats.Reset()
	}
	stats.Fail()
	pause := 10 * time.Millisecond << min(stats.NumberOfFailures(crashWindow)-1, 6)
	time.AfterFunc(pause/2+rand.N(pause/2), func() { supervisor.RestartChildren(child) }) //nolint:gosec // jitter
}

// stopAtOnce stops a failing child: a stream is cheaper opened anew.
var stopAtOnce = actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })

// props returns how to make one actor of a kind, which is counted and whose
// panics are logged.
func (s *System) props(kind string, producer actor.Producer, options ...actor.PropsOption) *actor.Props {
	props, _ := s.propsAndVitals(kind, producer, options...)
	return props
}

// propsAndVitals is props, and returns the actor's mailbox as well.
func (s *System) propsAndVitals(kind string, producer actor.Producer, options ...actor.PropsOption) (*actor.Props, *vitals) {
	v := &vitals{kind: s.meters.kinds[kind], mailbox: mailbox{crew: &s.crew, lost: s.lost}}
	options = append(options, v.options()...)
	return actor.PropsFromProducer(func() actor.Actor { return &logged{producer(), s.cfg.Logger, kind, v} }, options...), v
}

// logged logs an actor's panic once with its stack, which the framework would
// lose, and passes it on to the supervisor. (A receiver middleware would cost
// an envelope for every message.)
type logged struct {
	actor.Actor
	log    *slog.Logger
	kind   string
	vitals *vitals
}

// Receive implements actor.Actor.
func (l *logged) Receive(ctx actor.Context) {
	defer func() {
		if reason := recover(); reason != nil {
			logFailure(l.log, l.kind, ctx.Message(), reason)
			l.vitals.kind.failed.Add(1)
			panic(reason)
		}
	}()
	l.vitals.receive(ctx, l.Actor)
}

// logFailure logs what an actor failed over, while its stack is there.
func logFailure(log *slog.Logger, kind string, message, reason any) {
	ctx := context.Background()
	if m, ok := message.(asked); ok {
		ctx = named(ctx, m.from(), 1)
	}
	log.ErrorContext(ctx, "actor failed", "kind", kind, "message", fmt.Sprintf("%T", message),
		"reason", fmt.Sprint(reason), "stack", oponn.Stack())
}

// named returns a context for what is done for those who wait: the log finds it
// by the first, and sees how many more there are.
func named(ctx context.Context, first string, waiting int) context.Context {
	switch {
	case first == "":
		return ctx
	case waiting > 1:
		first += "+" + strconv.Itoa(waiting-1)
	}
	return oponn.WithRequestID(ctx, first)
}
