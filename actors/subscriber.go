package actors

import (
	"sync/atomic"
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
	// flush says that the viewer takes again what it is sent, or has left.
	flush struct{}
	// endStream ends it from our side; forget, without a word to the viewer.
	endStream struct{ reason oponn.EndReason }
	forget    struct{}
	// left tells those who know a subscriber that it has stopped.
	left struct{ sub *subscriber }
)

// subscriber is the actor of one viewer's connection, and its mailbox: one
// object, because there are so many and a walk over them waits for memory. It
// never shows a version older than one its viewer has seen, whatever comes
// from where.
type subscriber struct {
	slot
	system    *System
	ballot    oponn.BallotID
	group     *oponn.Group
	sink      oponn.Sink
	seen      uint64 // the version that the viewer has
	stays     bool   // through closing
	uncounted bool   // among those who watch
	ending    bool   // the sink knows that nothing will follow
	done      bool   // the sink is not called any more

	taken  uint64    // by the viewer, when the reaper came last
	moving time.Time // when the reaper last found that the viewer takes what it gets

	number int             // in streams, which alone touches it
	seat   seat            // in the audience, which alone touches it
	reason oponn.EndReason // why it ends; of the viewer's own accord when empty

	// An audience that lets the subscriber in says so before it looks whether
	// it has stopped, and the subscriber says that it has before it looks for
	// an audience to tell: one of them sees the other.
	audience atomic.Pointer[actor.PID]
	stopped  atomic.Bool
}

// seat is a subscriber's place in its audience.
type seat struct {
	group *group
	at    int
}

// Wake implements oponn.Stream.
func (s *subscriber) Wake() { s.PostUserMessage(&flush{}) }

// Receive implements actor.Actor. It runs in the goroutine of whoever sends
// (see slot) and does nothing that could block.
func (s *subscriber) Receive(ctx actor.Context) {
	defer s.logPanic(ctx)
	switch m := ctx.Message().(type) {
	case *oponn.Frame:
		s.show(ctx, m)
	case *flush:
		s.flush(ctx)
	case *sweep:
		s.sweep(ctx, m)
	case *rejoin:
		s.audience.Store(nil)
		if !s.ending {
			s.system.rejoin(s)
		}
	case *endStream:
		s.end(ctx, m.reason)
	case *forget:
		s.ending, s.done = true, true
		ctx.Stop(ctx.Self())
	case *actor.Stopping:
		s.stopping(ctx)
	}
}

// show offers a frame that is news to the viewer.
func (s *subscriber) show(ctx actor.Context, frame *oponn.Frame) {
	if s.ending {
		return
	}
	if frame.Version > s.seen {
		s.seen = frame.Version
		s.sink.Offer(frame)
	}
	if frame.Last && !s.stays {
		s.end(ctx, oponn.EndClosed)
	}
}

// flush goes on with what waits, and stops when all is over.
func (s *subscriber) flush(ctx actor.Context) (p oponn.Progress) {
	if s.done {
		return oponn.Progress{Done: true}
	}
	if p = s.sink.Flush(); p.Done {
		s.ending, s.done = true, true
		ctx.Stop(ctx.Self())
	}
	return p
}

// sweep is the reaper's visit: a viewer who has left what was offered for
// longer than the lease is gone, or as good as gone.
func (s *subscriber) sweep(ctx actor.Context, m *sweep) {
	p := s.flush(ctx)
	if p.Waiting {
		s.system.meters.streams.behind.Add(1)
	}
	switch {
	case p.Done:
		return
	case !p.Waiting, p.Taken != s.taken, s.moving.IsZero():
		s.taken, s.moving = p.Taken, m.now
	case m.now.Sub(s.moving) >= s.system.cfg.Lease:
		s.reason = oponn.EndLagging
		s.sink.End(oponn.EndLagging)
		s.close(ctx)
		return
	}
	if !s.ending && s.audience.Load() == nil {
		s.system.rejoin(s) // what it asked for was lost with an audience that failed
	}
	if m.beat && !s.ending {
		s.sink.Beat()
		s.flush(ctx)
	}
}

// end ends the stream; the actor lives on until the viewer has taken that.
func (s *subscriber) end(ctx actor.Context, reason oponn.EndReason) {
	if s.ending {
		return
	}
	s.ending, s.reason = true, reason
	s.sink.End(reason)
	s.flush(ctx)
}

func (s *subscriber) close(ctx actor.Context) {
	s.ending, s.done = true, true
	s.sink.Close()
	ctx.Stop(ctx.Self())
}

// stopping lets go of the viewer, if that has not happened: then the actor has
// failed, or everything ends.
func (s *subscriber) stopping(ctx actor.Context) {
	s.stopped.Store(true)
	if !s.ending && !s.done {
		s.reason = oponn.EndFault
	}
	gone := &left{sub: s}
	if audience := s.audience.Load(); audience != nil {
		ctx.Send(audience, gone)
	}
	ctx.Send(ctx.Parent(), gone)
	if s.done {
		return
	}
	s.done = true
	defer s.sink.Close()
	if !s.ending {
		s.ending = true
		s.sink.End(oponn.EndFault)
		s.sink.Flush()
	}
}

func (s *subscriber) logPanic(ctx actor.Context) {
	if reason := recover(); reason != nil {
		s.system.meters.subscribers.failed.Add(1)
		logFailure(s.system.cfg.Logger, "subscriber", ctx.Message(), reason)
		panic(reason)
	}
}
