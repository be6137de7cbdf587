package actors

import (
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of the registry, besides everything that is addressed to a ballot.
type (
	// sleepy is a ballot's wish to be put to sleep.
	sleepy struct{ ballot oponn.BallotID }
	// maySleep tells a ballot that nothing more will come: everything sent to
	// it before has arrived.
	maySleep struct{}
	// stayedAwake is the answer of a ballot that found work in the meantime.
	stayedAwake struct{ ballot oponn.BallotID }
	// countAwake asks for the number of ballots in memory.
	countAwake struct{ reply chan int }
)

// addressed is a message for a ballot that wakes it.
type addressed interface{ to() oponn.BallotID }

// hint is a message for a ballot that is awake; for others it has no meaning.
type hint interface{ about() oponn.BallotID }

// registry finds and wakes ballots, and puts them to sleep. It is the parent
// of them all. Requests to a ballot that is awake don't pass here: see
// admission.
type registry struct {
	system  *System
	ballots map[oponn.BallotID]*berth
}

// berth is one ballot in memory.
type berth struct {
	pid    *actor.PID
	vitals *vitals
	// falling says that the ballot may stop at any moment: messages are held
	// until it has, or says that it stayed awake.
	falling bool
	held    []addressed
	exhibit *exhibit
	// laid are operators who wait for the ballot to sleep.
	laid []*layDown
}

func newRegistry(s *System) actor.Actor {
	s.meters.awake.Store(0)
	return &registry{system: s, ballots: make(map[oponn.BallotID]*berth)}
}

// Receive implements actor.Actor.
func (r *registry) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case addressed:
		r.deliver(ctx, m)
	case hint:
		if b := r.ballots[m.about()]; b != nil && !b.falling {
			ctx.Send(b.pid, m)
		}
	case *sleepy:
		if b := r.ballots[m.ballot]; b != nil {
			r.fell(ctx, m.ballot, b)
		}
	case *stayedAwake:
		if b := r.ballots[m.ballot]; b != nil {
			b.falling = false
			r.system.admission.open(m.ballot, b.vitals)
			r.flush(ctx, b)
			b.tellLaid(false)
		}
	case *actor.Terminated:
		r.terminated(ctx, m.Who)
	case *countAwake:
		m.reply <- len(r.ballots)
	default:
		r.inspect(ctx)
	}
}

// fell tells a ballot that it may sleep, unless that has been done.
func (r *registry) fell(ctx actor.Context, id oponn.BallotID, b *berth) {
	if !b.falling {
		b.falling = true
		r.system.admission.shut(id)
		ctx.Send(b.pid, &maySleep{})
	}
}

// deliver passes a message on to its ballot, waking it if need be.
func (r *registry) deliver(ctx actor.Context, m addressed) {
	b := r.ballots[m.to()]
	if b == nil {
		if b = r.wake(ctx, m.to()); b == nil {
			if q, ok := m.(asked); ok {
				r.system.meters.shed[limitAwake].Add(1)
				q.refuse(errBusy("Too many ballots are awake at this moment. Please try again in a second."))
			}
			return
		}
	}
	if b.falling {
		b.held = append(b.held, m)
		return
	}
	ctx.Send(b.pid, m)
}

func (r *registry) wake(ctx actor.Context, id oponn.BallotID) *berth {
	if len(r.ballots) >= r.system.cfg.MaxAwake {
		return nil
	}
	v := &exhibit{ballot: id, awake: time.Now()}
	props, box := r.system.ballotProps(id, v)
	pid, err := ctx.SpawnNamed(props, "ballot/"+id.String())
	if err != nil {
		r.system.cfg.Logger.Error("ballot not spawned", "ballot", id.String(), "error", err)
		return nil
	}
	b := &berth{pid: pid, vitals: box, exhibit: v}
	r.ballots[id] = b
	r.system.meters.awake.Store(int64(len(r.ballots)))
	r.system.admission.open(id, box)
	return b
}

// terminated forgets a ballot that has stopped, and wakes it again when
// something came for it meanwhile.
func (r *registry) terminated(ctx actor.Context, who *actor.PID) {
	id, err := oponn.ParseBallotID(who.Id[strings.LastIndexByte(who.Id, '/')+1:])
	b := r.ballots[id]
	if err != nil || b == nil {
		return
	}
	delete(r.ballots, id)
	r.system.meters.awake.Store(int64(len(r.ballots)))
	r.system.admission.shut(id)
	b.tellLaid(true)
	for _, m := range b.held {
		r.deliver(ctx, m)
	}
}

func (r *registry) flush(ctx actor.Context, b *berth) {
	for _, m := range b.held {
		ctx.Send(b.pid, m)
	}
	b.held = nil
}
