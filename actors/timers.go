package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// timer sends an actor a message later. Each arming has its generation, which
// the message carries: one that was on its way when the timer was armed again
// is told apart. (The framework's receive timeout is a data race.) The zero
// timer is ready; only its actor touches it.
type timer struct {
	generation int
	pending    *time.Timer
}

// arm sends the message made for this arming's generation after the given
// time, instead of whatever was armed before.
func (t *timer) arm(root *actor.RootContext, to *actor.PID, after time.Duration, message func(generation int) any) {
	t.stop()
	m := message(t.generation)
	t.pending = time.AfterFunc(after, func() { root.Send(to, m) })
}

// stop makes sure that nothing armed so far counts any more.
func (t *timer) stop() {
	t.generation++
	if t.pending != nil {
		t.pending.Stop()
		t.pending = nil
	}
}
