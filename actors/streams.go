package actors

import (
	"runtime"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of streams.
type (
	// openStream asks for a subscriber.
	openStream struct {
		request[*subscriber]
		viewer oponn.Viewer
	}
	// sweepTime is the reaper's clock.
	sweepTime struct{ generation int }
	// endAll ends all streams by and by, and refuses new ones; ended is closed
	// when none is left.
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
	props    *actor.Props // of a subscriber: that in next
	next     *subscriber
	open     []*subscriber
	timer    timer
	lastBeat time.Time
	ending   *endAll
	farewell farewell
}

func (s *System) streamsProps() *actor.Props {
	return s.props("streams", func() actor.Actor { return newStreams(s) }, actor.WithSupervisor(stopAtOnce))
}

// newStreams makes the parent. One Props serves all of its subscribers, each
// of which is actor and mailbox in one.
func newStreams(system *System) *streams {
	s := &streams{system: system, lastBeat: time.Now()}
	s.props = actor.PropsFromProducer(func() actor.Actor { return s.next },
		actor.WithMailbox(func() actor.Mailbox { return &s.next.slot }))
	return s
}

// Receive implements actor.Actor.
func (s *streams) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.armSweep(ctx)
	case *openStream:
		s.openStream(ctx, m)
	case *left:
		s.left(m.sub)
	case *sweepTime:
		if m.generation == s.timer.generation {
			s.sweep()
			s.armSweep(ctx)
		}
	case *endAll:
		s.endAll(ctx, m)
	case *endSome:
		s.endSome(ctx)
	case *countStreams:
		m.reply <- len(s.open)
	case *actor.Stopping:
		s.timer.stop()
		s.farewell.timer.stop()
	}
}

func (s *streams) openStream(ctx actor.Context, m *openStream) {
	switch {
	case s.ending != nil:
		m.refuse(errDraining())
		return
	case len(s.open) >= s.system.cfg.MaxStreams:
		s.system.meters.shed[limitStreams].Add(1)
		m.refuse(errBusy("Too many are watching here at this moment. Please try again in a while."))
		return
	}
	sub := &subscriber{system: s.system, ballot: m.ballot, group: m.viewer.Group, sink: m.viewer.Sink,
		seen: m.viewer.After, stays: m.viewer.Stays, uncounted: m.viewer.Uncounted, number: len(s.open)}
	s.next = sub
	ctx.SpawnPrefix(s.props, "")
	s.next = nil
	s.open = append(s.open, sub)
	s.system.meters.opened(len(s.open))
	if !sub.uncounted {
		s.system.presence.come(sub.ballot)
	}
	m.answer(sub, nil)
}

// left forgets a subscriber; the last one takes its number.
func (s *streams) left(sub *subscriber) {
	if !sub.uncounted {
		s.system.presence.leave(sub.ballot)
	}
	last := len(s.open) - 1
	moved := s.open[last]
	s.open[sub.number], moved.number = moved, sub.number
	s.open[last] = nil
	s.open = s.open[:last]
	s.system.meters.left(len(s.open), sub.reason)
	s.announceEnd()
}

// armSweep sets the next visit of the reaper: often enough to notice a lease
// that has run out before half as long again has passed.
func (s *streams) armSweep(ctx actor.Context) {
	every := min(s.system.cfg.Lease/4, s.system.cfg.BeatEvery/3)
	s.timer.arm(s.system.root, ctx.Self(), every, func(g int) any { return &sweepTime{generation: g} })
}

func (s *streams) sweep() {
	m := &sweep{now: time.Now()}
	if m.beat = m.now.Sub(s.lastBeat) >= s.system.cfg.BeatEvery; m.beat {
		s.lastBeat = m.now
	}
	s.each(m)
	s.system.meters.streams.lagging.Store(s.system.meters.streams.behind.Swap(0))
	s.system.crew.trim()
}

// each sends a message to all; what one does in answer arrives later.
func (s *streams) each(message any) {
	for i, sub := range s.open {
		sub.PostUserMessage(message)
		if i%stretch == stretch-1 {
			runtime.Gosched() // votes go first
		}
	}
}

func (s *streams) announceEnd() {
	if s.ending != nil && len(s.open) == 0 && s.ending.ended != nil {
		close(s.ending.ended)
		s.ending.ended = nil
	}
}

// rejoin brings a subscriber whose audience is gone to its ballot's next one.
func (s *System) rejoin(sub *subscriber) {
	after := sub.seen
	s.task(func() {
		ctx, cancel := s.deadline()
		defer cancel()
		if err := s.seat(ctx, sub, after); err != nil {
			reason := oponn.EndFault
			if code := oponn.CodeOf(err); code == oponn.CodeGone || code == oponn.CodeNotFound {
				reason = oponn.EndGone
			}
			sub.PostUserMessage(&endStream{reason: reason})
		}
	})
}
