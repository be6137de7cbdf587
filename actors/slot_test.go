package actors

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// invoker is an actor that counts what it gets and notices when it is run by
// two goroutines at once.
type invoker struct {
	t       *testing.T
	inside  atomic.Bool
	last    uint64
	frames  int
	control int
	system  int
	during  func(message any)
}

func (i *invoker) invoke(count *int, message any) {
	if i.inside.Swap(true) {
		i.t.Error("two goroutines run the actor at once")
	}
	*count++
	if i.during != nil {
		i.during(message)
	}
	i.inside.Store(false)
}

func (i *invoker) InvokeSystemMessage(message any) { i.invoke(&i.system, message) }

func (i *invoker) InvokeUserMessage(message any) {
	frame, ok := message.(*oponn.Frame)
	if !ok {
		i.invoke(&i.control, message)
		return
	}
	i.invoke(&i.frames, message)
	i.last = frame.Version
}

func (i *invoker) EscalateFailure(reason, _ any) { i.t.Errorf("failure: %v", reason) }

func TestSlot(t *testing.T) {
	t.Run("of the frames that wait only the latest is shown, and no control message is lost", func(t *testing.T) {
		mailbox, i := new(slot), &invoker{t: t}
		mailbox.RegisterHandlers(i, nil)
		mailbox.PostSystemMessage(&actor.SuspendMailbox{})
		for v := range uint64(10) {
			mailbox.PostUserMessage(&oponn.Frame{Version: v})
			mailbox.PostUserMessage(&sweep{})
		}
		if n := mailbox.UserMessageCount(); n != 11 || i.frames != 0 {
			t.Errorf("%d messages wait, %d frames were shown", n, i.frames)
		}
		mailbox.PostSystemMessage(&actor.ResumeMailbox{})
		if i.frames != 1 || i.last != 9 || i.control != 10 {
			t.Errorf("%d frames, the last %d, and %d control messages", i.frames, i.last, i.control)
		}
	})
	t.Run("what is sent by the actor to itself is processed", func(t *testing.T) {
		mailbox, i := new(slot), &invoker{t: t}
		mailbox.RegisterHandlers(i, nil)
		i.during = func(message any) {
			if _, ok := message.(*sweep); ok {
				mailbox.PostUserMessage(&oponn.Frame{Version: 7})
				mailbox.PostSystemMessage(&actor.Stop{})
			}
		}
		mailbox.PostUserMessage(&sweep{})
		if i.frames != 1 || i.system != 1 {
			t.Errorf("%d frames, %d system messages", i.frames, i.system)
		}
	})
	t.Run("many senders at once lose no control message and not the last frame", func(t *testing.T) {
		mailbox, i := new(slot), &invoker{t: t}
		mailbox.RegisterHandlers(i, nil)
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() {
				for range 1000 {
					mailbox.PostUserMessage(&oponn.Frame{Version: 1})
					mailbox.PostUserMessage(&sweep{})
				}
			})
		}
		done.Wait()
		mailbox.PostUserMessage(&oponn.Frame{Version: 2})
		if i.control != 8000 || i.last != 2 || mailbox.UserMessageCount() != 0 {
			t.Errorf("%d control messages, last frame %d, %d left", i.control, i.last, mailbox.UserMessageCount())
		}
	})
}

// nowhere is a sink that takes everything at once.
type nowhere struct{ frames int }

func (n *nowhere) Offer(*oponn.Frame)    { n.frames++ }
func (n *nowhere) Beat()                 {}
func (n *nowhere) End(oponn.EndReason)   {}
func (n *nowhere) Flush() oponn.Progress { return oponn.Progress{} }
func (n *nowhere) Close()                {}

// What one frame costs is what ten thousand viewers pay ten times a second.
func TestAFrameAllocatesNothing(t *testing.T) {
	framework := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	s, sink := newStreams(&System{}), &nowhere{}
	sub := &subscriber{sink: sink}
	s.next = sub
	framework.Root.Spawn(s.props)
	const runs = 100
	frames := make([]oponn.Frame, runs+1)
	next := 0
	if n := testing.AllocsPerRun(runs, func() {
		frames[next].Version = uint64(next + 1)
		sub.slot.show(&frames[next])
		next++
	}); n != 0 || sink.frames != len(frames) {
		t.Errorf("%v allocations for each of %d frames", n, sink.frames)
	}
}
