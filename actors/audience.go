package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of an audience.
type (
	// publish shows the ballot's new state to everyone.
	publish struct{ snapshot oponn.Snapshot }
	// join is a subscriber's coming. Its going is told by the framework.
	join struct {
		sub    *actor.PID
		viewer *oponn.Viewer
	}
	// dismiss ends all streams.
	dismiss struct{ reason oponn.EndReason }
	// fanOut says that the time for the next frame has come.
	fanOut struct{ generation int }
)

// maxFrameInterval is how far the time between frames widens when fanning out
// takes long.
const maxFrameInterval = 2 * time.Second

// audience is all of a ballot's viewers. It makes one frame per version and
// group and hands the same bytes to each. Frames are state: between two fan-
// outs only the latest version counts.
type audience struct {
	system   *System
	ballot   *actor.PID
	snapshot oponn.Snapshot
	groups   map[string]*group
	where    map[string]place // by the subscriber's PID
	last     time.Time        // of the last fan-out
	took     time.Duration    // by the last fan-out
	waiting  bool             // for the timer
	timer    timer
}

// group is viewers who see the same bytes.
type group struct {
	render func(oponn.Snapshot) []byte
	frame  *oponn.Frame // of the snapshot's version, made on first use
	subs   []*actor.PID
}

// place is where a subscriber sits.
type place struct {
	group string
	seat  int
}

func (s *System) audienceProps(ballot *actor.PID) *actor.Props {
	return s.props("audience", func() actor.Actor {
		return &audience{system: s, ballot: ballot, groups: make(map[string]*group), where: make(map[string]place)}
	})
}

// Receive implements actor.Actor.
func (a *audience) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *publish:
		a.publish(ctx, m.snapshot)
	case *fanOut:
		if m.generation == a.timer.generation {
			a.fanOut(ctx)
		}
	case *join:
		a.join(ctx, m)
	case *actor.Terminated:
		a.leave(ctx, m.Who)
	case *dismiss:
		a.each(func(sub *actor.PID) { ctx.Send(sub, &endStream{reason: m.reason}) })
	case *actor.Stopping, *actor.Restarting:
		// The ballot begins anew; its viewers need not know.
		a.timer.stop()
		a.each(func(sub *actor.PID) { ctx.Send(sub, &rejoin{}) })
	}
}

// publish takes a newer state: shown at once when the last frame was long ago,
// else when the interval is over.
func (a *audience) publish(ctx actor.Context, snapshot oponn.Snapshot) {
	if snapshot.Version <= a.snapshot.Version {
		return
	}
	a.snapshot = snapshot
	for _, g := range a.groups {
		g.frame = nil
	}
	if a.waiting || len(a.where) == 0 {
		return
	}
	wait := a.interval() - time.Since(a.last)
	if wait <= 0 {
		a.fanOut(ctx)
		return
	}
	a.waiting = true
	a.timer.arm(a.system.root, ctx.Self(), wait, func(g int) any { return &fanOut{generation: g} })
}

// interval is the time between frames: widened when fanning out takes more
// than half of it, so that votes never wait for viewers.
func (a *audience) interval() time.Duration {
	return min(max(a.system.cfg.FrameInterval, 2*a.took), max(maxFrameInterval, a.system.cfg.FrameInterval))
}

func (a *audience) fanOut(ctx actor.Context) {
	begin := time.Now()
	a.waiting, a.last = false, begin
	for _, g := range a.groups {
		frame := a.frame(g)
		for _, sub := range g.subs {
			ctx.Send(sub, frame)
		}
	}
	a.took = time.Since(begin)
}

// frame renders a group's frame of the current version, once.
func (a *audience) frame(g *group) *oponn.Frame {
	if g.frame == nil {
		g.frame = &oponn.Frame{Version: a.snapshot.Version, Bytes: g.render(a.snapshot), Last: a.snapshot.State.Status == oponn.Closed}
	}
	return g.frame
}

func (a *audience) join(ctx actor.Context, m *join) {
	if _, twice := a.where[m.sub.Id]; twice {
		return
	}
	g := a.groups[m.viewer.Group]
	if g == nil {
		g = &group{render: m.viewer.Render}
		a.groups[m.viewer.Group] = g
	}
	a.where[m.sub.Id] = place{group: m.viewer.Group, seat: len(g.subs)}
	g.subs = append(g.subs, m.sub)
	ctx.Watch(m.sub) // also one that has gone already is told
	if a.snapshot.Ballot != nil {
		ctx.Send(m.sub, a.frame(g))
	}
	a.tellCrowd(ctx)
}

func (a *audience) leave(ctx actor.Context, sub *actor.PID) {
	p, there := a.where[sub.Id]
	if !there {
		return
	}
	delete(a.where, sub.Id)
	g := a.groups[p.group]
	last := len(g.subs) - 1
	if p.seat != last { // the last one takes the empty seat
		moved := g.subs[last]
		g.subs[p.seat] = moved
		a.where[moved.Id] = p
	}
	g.subs[last] = nil
	if g.subs = g.subs[:last]; len(g.subs) == 0 {
		delete(a.groups, p.group)
	}
	a.tellCrowd(ctx)
}

func (a *audience) tellCrowd(ctx actor.Context) { ctx.Send(a.ballot, &crowd{viewers: len(a.where)}) }

func (a *audience) each(do func(sub *actor.PID)) {
	for _, g := range a.groups {
		for _, sub := range g.subs {
			do(sub)
		}
	}
}
