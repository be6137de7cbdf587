package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of streams.
type (
	// openStream asks for a subscriber.
	openStream struct {
		request[*actor.PID]
		viewer *oponn.Viewer
	}
	// sweepTime is the reaper's clock.
	sweepTime struct{ generation int }
	// endAll ends all streams, and refuses new ones; ended is closed when none
	// is left.
	endAll struct {
		reason oponn.EndReason
		ended  chan struct{}
	}
	// countStreams asks for the number of streams.
	countStreams struct{ reply chan int }
)

// streams is the parent of all subscribers, counts them, and sends the reaper
// round.
type streams struct {
	system   *System
	open     map[string]*actor.PID
	timer    timer
	lastBeat time.Time
	ending   *endAll
}

func (s *System) streamsProps() *actor.Props {
	return s.props("streams", func() actor.Actor {
		return &streams{system: s, open: make(map[string]*actor.PID), lastBeat: time.Now()}
	}, actor.WithSupervisor(stopAtOnce))
}

// Receive implements actor.Actor.
func (s *streams) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.armSweep(ctx)
	case *openStream:
		s.openStream(ctx, m)
	case *actor.Terminated:
		delete(s.open, m.Who.Id)
		s.announceEnd()
	case *sweepTime:
		if m.generation == s.timer.generation {
			s.sweep(ctx)
			s.armSweep(ctx)
		}
	case *endAll:
		s.ending = m
		for _, sub := range s.open {
			ctx.Send(sub, &endStream{reason: m.reason})
		}
		s.announceEnd()
	case *countStreams:
		m.reply <- len(s.open)
	case *actor.Stopping:
		s.timer.stop()
	}
}

func (s *streams) openStream(ctx actor.Context, m *openStream) {
	switch {
	case s.ending != nil:
		m.refuse(errDraining())
		return
	case len(s.open) >= s.system.cfg.MaxStreams:
		m.refuse(errBusy("Too many are watching here at this moment. Please try again in a while."))
		return
	}
	sub := &subscriber{system: s.system, ballot: m.ballot, viewer: m.viewer, seen: m.viewer.After}
	pid := ctx.SpawnPrefix(actor.PropsFromProducer(func() actor.Actor { return sub }, actor.WithMailbox(newSlot)), "sub/")
	s.open[pid.Id] = pid
	m.answer(pid, nil)
}

// armSweep sets the next visit of the reaper: often enough to notice a lease
// that has run out before half as long again has passed.
func (s *streams) armSweep(ctx actor.Context) {
	every := min(s.system.cfg.Lease/2, s.system.cfg.BeatEvery/3)
	s.timer.arm(s.system.root, ctx.Self(), every, func(g int) any { return &sweepTime{generation: g} })
}

func (s *streams) sweep(ctx actor.Context) {
	m := &sweep{now: time.Now()}
	if m.beat = m.now.Sub(s.lastBeat) >= s.system.cfg.BeatEvery; m.beat {
		s.lastBeat = m.now
	}
	for _, sub := range s.open {
		ctx.Send(sub, m)
	}
}

func (s *streams) announceEnd() {
	if s.ending != nil && len(s.open) == 0 && s.ending.ended != nil {
		close(s.ending.ended)
		s.ending.ended = nil
	}
}

// rejoin brings a subscriber whose audience is gone to its ballot's next one.
func (s *System) rejoin(sub *actor.PID, ballot oponn.BallotID, viewer *oponn.Viewer, after uint64) {
	s.task(func() {
		ctx, cancel := s.deadline()
		defer cancel()
		if err := s.seat(ctx, ballot, viewer, sub, after); err != nil {
			reason := oponn.EndFault
			if code := oponn.CodeOf(err); code == oponn.CodeGone || code == oponn.CodeNotFound {
				reason = oponn.EndGone
			}
			s.root.Send(sub, &endStream{reason: reason})
		}
	})
}
