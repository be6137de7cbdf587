package actors

import (
	"math"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Of so many messages to an actor one has its time in the mailbox, and the time
// it takes, measured: the clock would cost a vote more than its mailbox.
const measureOneIn = 16

// kind is all actors that do the same: what operators see of them.
type kind struct {
	spawned, stopped, restarted, failed oponn.Counter
	waiting, handling                   oponn.Histogram

	mu      sync.Mutex
	alive   map[*vitals]struct{}
	handled uint64 // by those who have stopped
}

// vitals is an actor's mailbox, and what it and the actor's Receive count
// together.
type vitals struct {
	mailbox
	kind *kind
	at   time.Time // when the message was posted that is measured
}

// probing is the probe of an actor whose next one is being set.
const probing = math.MaxUint64

// newKind makes the instruments of a kind of actors that s.props makes.
func newKind(meter oponn.Meter, name string) *kind {
	k := &kind{alive: make(map[*vitals]struct{})}
	k.count(meter, name)
	labels := oponn.Labels{"kind": name}
	meter.Gauge(oponn.Metric{Name: "oponn_actors_alive", Help: helpAlive, Labels: labels}, func() float64 { return k.sum(one) })
	meter.Gauge(oponn.Metric{Name: "oponn_actor_mailbox_messages", Labels: labels,
		Help: "Messages that wait in the mailboxes of all actors of a kind."}, func() float64 { return k.sum((*vitals).depth) })
	meter.Gauge(oponn.Metric{Name: "oponn_actor_mailbox_messages_max", Labels: labels,
		Help: "Messages that wait in the fullest mailbox of a kind."}, k.deepest)
	meter.Total(oponn.Metric{Name: "oponn_actor_messages_total", Help: helpMessages, Labels: labels}, k.messages)
	k.waiting = meter.Histogram(oponn.Metric{Name: "oponn_actor_mailbox_seconds", Labels: labels,
		Help: "Time that a message waited in a mailbox; of one message in sixteen."}, fineBounds)
	return k
}

const (
	helpAlive    = "Actors that live."
	helpMessages = "Messages that actors have handled."
)

// count makes the instruments that every kind has.
func (k *kind) count(meter oponn.Meter, name string) {
	labels := oponn.Labels{"kind": name}
	k.spawned = meter.Counter(oponn.Metric{Name: "oponn_actors_spawned_total", Help: "Actors that were spawned.", Labels: labels})
	k.stopped = meter.Counter(oponn.Metric{Name: "oponn_actors_stopped_total", Help: "Actors that have stopped.", Labels: labels})
	k.restarted = meter.Counter(oponn.Metric{Name: "oponn_actors_restarted_total", Help: "Restarts of actors that had failed.", Labels: labels})
	k.failed = meter.Counter(oponn.Metric{Name: "oponn_actors_failed_total", Help: "Panics of actors.", Labels: labels})
	k.handling = meter.Histogram(oponn.Metric{Name: "oponn_actor_handling_seconds", Labels: labels,
		Help: "Time that an actor took for a message; of one message in sixteen."}, fineBounds)
}

// options are those of the Props of an actor.
func (v *vitals) options() []actor.PropsOption {
	return []actor.PropsOption{
		actor.WithMailbox(func() actor.Mailbox { return v }),
		actor.WithOnInit(func(actor.Context) {
			v.kind.mu.Lock()
			v.kind.alive[v] = struct{}{}
			v.kind.mu.Unlock()
			v.kind.spawned.Add(1)
		}),
	}
}

// PostUserMessage implements actor.Mailbox.
func (v *vitals) PostUserMessage(message any) {
	if n := v.posted.Load() + 1; n%measureOneIn == 1 && v.probe.CompareAndSwap(0, probing) {
		v.at = time.Now()
		v.probe.Store(n)
	}
	v.mailbox.PostUserMessage(message)
}

// receive has the actor handle a message.
func (v *vitals) receive(ctx actor.Context, do actor.Actor) {
	switch ctx.Message().(type) {
	case *actor.Stopped:
		defer v.gone()
		do.Receive(ctx)
	case *actor.Restarting:
		v.kind.restarted.Add(1)
		do.Receive(ctx)
	case actor.SystemMessage, actor.AutoReceiveMessage:
		do.Receive(ctx)
	default:
		v.measure(ctx, do)
	}
}

// measure has the actor handle a message of ours, and takes the time of some.
func (v *vitals) measure(ctx actor.Context, do actor.Actor) {
	n := v.taken.Load()
	if probe := v.probe.Load(); probe != 0 && probe <= n {
		if probe == n {
			v.kind.waiting.Observe(time.Since(v.at).Seconds())
		}
		v.probe.Store(0)
	}
	if n%measureOneIn != 1 {
		do.Receive(ctx)
		return
	}
	begin := time.Now()
	defer func() { v.kind.handling.Observe(time.Since(begin).Seconds()) }()
	do.Receive(ctx)
}

// gone forgets an actor that has stopped.
func (v *vitals) gone() {
	v.stopped = true
	k := v.kind
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.alive[v]; !ok {
		return
	}
	delete(k.alive, v)
	k.handled += v.taken.Load()
	k.stopped.Add(1)
}

func (v *vitals) depth() float64 { return float64(v.UserMessageCount()) }

func one(*vitals) float64 { return 1 }

// sum adds up something of all that live.
func (k *kind) sum(of func(*vitals) float64) (sum float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for v := range k.alive {
		sum += of(v)
	}
	return sum
}

func (k *kind) deepest() (most float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for v := range k.alive {
		most = max(most, v.depth())
	}
	return most
}

func (k *kind) messages() float64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	sum := k.handled
	for v := range k.alive {
		sum += v.taken.Load()
	}
	return float64(sum)
}
