package actors

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of a subscriber, besides frames.
type (
	// rejoin tells it that its audience is gone and the ballot is to be asked
	// for a new one.
	rejoin struct{}
	// sweep asks it to look after its viewer; beat, also to give a sign of life.
	sweep struct {
		now  time.Time
		beat bool
	}
	// endStream ends it from our side; departed says that the viewer has left.
	endStream struct{ reason oponn.EndReason }
	departed  struct{}
)

// subscriber is the actor of one viewer's connection. It never shows a version
// older than one its viewer has seen, whatever comes from where.
type subscriber struct {
	system *System
	ballot oponn.BallotID
	viewer *oponn.Viewer
	seen   uint64 // the version that the viewer has
	ended  bool
}

// Receive implements actor.Actor. It runs in the goroutine of whoever sends
// (see slot) and does nothing that could block.
func (s *subscriber) Receive(ctx actor.Context) {
	defer s.logPanic()
	switch m := ctx.Message().(type) {
	case *oponn.Frame:
		s.show(ctx, m)
	case *sweep:
		s.sweep(ctx, m)
	case *rejoin:
		if !s.ended {
			s.system.rejoin(ctx.Self(), s.ballot, s.viewer, s.seen)
		}
	case *endStream:
		s.end(ctx, m.reason)
	case *departed:
		s.ended = true
		ctx.Stop(ctx.Self())
	case *actor.Stopping:
		if !s.ended { // it failed
			s.ended = true
			s.viewer.Sink.End(oponn.EndFault)
		}
	}
}

// show offers a frame that is news to the viewer.
func (s *subscriber) show(ctx actor.Context, frame *oponn.Frame) {
	if s.ended {
		return
	}
	if frame.Version > s.seen {
		s.seen = frame.Version
		s.viewer.Sink.Offer(*frame)
	}
	if frame.Last {
		s.end(ctx, oponn.EndClosed)
	}
}

// sweep is the reaper's visit: a viewer who has left what was offered for
// longer than the lease is gone, or as good as gone.
func (s *subscriber) sweep(ctx actor.Context, m *sweep) {
	if s.ended {
		return
	}
	if last, waiting := s.viewer.Sink.Taken(); waiting && m.now.Sub(last) > s.system.cfg.Lease {
		s.end(ctx, oponn.EndLagging)
		return
	}
	if m.beat {
		s.viewer.Sink.Beat()
	}
}

func (s *subscriber) end(ctx actor.Context, reason oponn.EndReason) {
	if s.ended {
		return
	}
	s.ended = true
	s.viewer.Sink.End(reason)
	ctx.Stop(ctx.Self())
}

func (s *subscriber) logPanic() {
	if reason := recover(); reason != nil {
		s.system.cfg.Logger.Error("actor failed", "kind", "subscriber",
			"reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
		panic(reason)
	}
}
