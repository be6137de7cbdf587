package actors

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of an audience.
type (
	// publish shows the ballot's new state to everyone.
	publish struct {
		snapshot oponn.Snapshot
		commits  time.Duration // how long one takes
		onward   []journey     // of votes that are new in it
	}
	// join is a subscriber's coming; its going is told by left.
	join struct{ sub *subscriber }
	// dismiss ends all streams.
	dismiss struct{ reason oponn.EndReason }
	// fanOut says that the time for the next frame has come.
	fanOut struct{ generation int }
)

// audience is all of a ballot's viewers. It makes one frame per version and
// group and hands the same bytes to each. Frames are state: between two fan-
// outs only the latest version counts.
type audience struct {
	system   *System
	ballot   *actor.PID
	snapshot oponn.Snapshot
	groups   map[string]*group
	viewers  int
	joined   int // since the start, also of those who left
	seen     seen
	last     time.Time     // of the last fan-out
	rushed   bool          // see rush
	took     effort        // to fan out
	commits  time.Duration // how long one takes
	waiting  bool          // for fanOut
	timer    timer
	exhibit  *exhibit
	newer    time.Time // when the first state came that is yet to be shown
	traced   []journey // to the next frame
}

// group is viewers who see the same bytes.
type group struct {
	*oponn.Group
	frame   *oponn.Frame // of the snapshot's version, made on first use
	last    *oponn.Frame // that was made last
	prelude []byte       // of the last frame
	since   uint64       // the version that first had that prelude
	subs    []*subscriber
}

func (s *System) audienceProps(ballot *actor.PID, v *exhibit) *actor.Props {
	return s.props("audience", func() actor.Actor {
		return &audience{system: s, ballot: ballot, groups: make(map[string]*group), exhibit: v}
	})
}

// Receive implements actor.Actor.
func (a *audience) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *publish:
		a.follow(m.onward)
		a.publish(ctx, m)
	case *arrived:
		a.seen.arrived(m)
	case *aged:
		a.seen.aged(&a.system.meters.screen, m)
	case *fanOut:
		if m.generation == a.timer.generation {
			a.fanOut()
		}
	case *join:
		a.join(ctx, m.sub)
	case *left:
		a.leave(ctx, m.sub)
	case *dismiss:
		a.each(&endStream{reason: m.reason})
	case *lookAtAudience:
		m.show(a.inspection())
	case *actor.Stopped, *actor.Restarting:
		// The ballot begins anew; its viewers need not know. Whoever still comes
		// here finds nobody, and is told so.
		a.timer.stop()
		a.each(&rejoin{})
	}
}

// publish takes a newer state: shown at once when the last frame was long ago,
// else when the interval is over.
func (a *audience) publish(ctx actor.Context, m *publish) {
	if m.snapshot.Version <= a.snapshot.Version {
		return
	}
	a.snapshot, a.commits = m.snapshot, m.commits
	a.snapshot.Every = worthTelling(a.interval())
	for _, g := range a.groups {
		g.frame = nil
	}
	if a.viewers == 0 {
		a.seen.forget()
	}
	if a.waiting || a.viewers == 0 {
		return
	}
	a.waiting, a.newer = true, time.Now()
	wait := a.pace() - time.Since(a.last)
	if wait <= 0 { // behind newer states that have come during the last fan-out
		ctx.Send(ctx.Self(), &fanOut{generation: a.timer.generation})
		return
	}
	a.timer.arm(a.system.root, ctx.Self(), wait, func(g int) any { return &fanOut{generation: g} })
}

func (a *audience) fanOut() {
	begin := time.Now()
	a.rushed = rush(a.rushed, begin.Sub(a.last))
	a.waiting, a.last = false, begin
	news := false
	a.stepAll(stepPublish)
	for _, g := range a.groups {
		before := g.last
		frame := a.frame(g)
		news = news || g.last != before
		a.system.walk(g.subs, frame)
	}
	end := time.Now()
	a.took.note(end.Sub(begin))
	a.exhibit.shown(end.Sub(a.newer))
	a.system.frames.add(a.viewers)
	a.seen.shown(&a.system.meters.screen, a.snapshot.Version, news, begin, end)
	a.stepAll(stepFrame)
	a.traced = nil
}

// frame renders a group's frame of the current version, once.
func (a *audience) frame(g *group) *oponn.Frame {
	if g.frame != nil {
		return g.frame
	}
	f := &oponn.Frame{Version: a.snapshot.Version, Soon: a.rushed, Last: a.snapshot.State.Status == oponn.Closed}
	begin := time.Now()
	f.Bytes, f.Prelude = g.Render(a.snapshot)
	a.system.meters.screen.render.Observe(time.Since(begin).Seconds())
	if g.last != nil && g.last.Last == f.Last && bytes.Equal(f.Bytes, g.last.Bytes) {
		g.frame = g.last // no news to those who see no more than this
		return g.frame
	}
	g.last = f
	if prelude := f.Bytes[:f.Prelude]; g.since == 0 || !bytes.Equal(prelude, g.prelude) {
		g.prelude, g.since = prelude, f.Version
	}
	f.Since, g.frame = g.since, f
	return f
}

func (a *audience) join(ctx actor.Context, sub *subscriber) {
	g := a.groups[sub.group.Name]
	if g == nil {
		g = &group{Group: sub.group}
		a.groups[sub.group.Name] = g
	}
	a.joined++
	if !g.has(sub) {
		sub.seat = seat{group: g, at: len(g.subs)}
		g.subs = append(g.subs, sub)
		a.viewers++
	}
	sub.audience.Store(ctx.Self())
	if sub.stopped.Load() { // it may not have known whom to tell
		a.leave(ctx, sub)
		return
	}
	if a.snapshot.Ballot != nil {
		sub.slot.show(a.frame(g))
	}
	a.tellCrowd(ctx)
}

// has says whether a subscriber sits here. Its seat may be that of another
// audience, which is gone.
func (g *group) has(sub *subscriber) bool {
	return sub.seat.group == g && sub.seat.at < len(g.subs) && g.subs[sub.seat.at] == sub
}

func (a *audience) leave(ctx actor.Context, sub *subscriber) {
	g := a.groups[sub.group.Name]
	if g == nil || !g.has(sub) {
		return
	}
	last := len(g.subs) - 1
	moved := g.subs[last] // the last one takes the empty seat
	g.subs[sub.seat.at], moved.seat.at = moved, sub.seat.at
	g.subs[last] = nil
	if g.subs = g.subs[:last]; len(g.subs) == 0 {
		delete(a.groups, sub.group.Name)
	}
	a.viewers--
	a.tellCrowd(ctx)
}

func (a *audience) tellCrowd(ctx actor.Context) {
	ctx.Send(a.ballot, &crowd{viewers: a.viewers, joined: a.joined})
}

func (a *audience) each(message any) {
	for _, g := range a.groups {
		for _, sub := range g.subs {
			sub.PostUserMessage(message)
		}
	}
}
