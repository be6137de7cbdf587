package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// slot is a subscriber's mailbox. It holds one frame, and a newer one takes
// its place: conflation and bound in one mechanism. Control messages are few
// and have a queue of their own, so that no frame pushes them out.
//
// The actor runs in the goroutine of whoever sends while nobody else runs it:
// a frame costs no scheduling and an idle viewer no goroutine.
type slot struct {
	frame   atomic.Pointer[oponn.Frame]
	running atomic.Bool
	invoker actor.MessageInvoker

	mu        sync.Mutex
	system    []any
	control   []any
	suspended bool
}

func newSlot() actor.Mailbox { return &slot{} }

// PostUserMessage implements actor.Mailbox.
func (s *slot) PostUserMessage(message any) {
	if frame, ok := message.(*oponn.Frame); ok {
		s.frame.Store(frame)
	} else {
		s.mu.Lock()
		s.control = append(s.control, message)
		s.mu.Unlock()
	}
	s.run()
}

// PostSystemMessage implements actor.Mailbox.
func (s *slot) PostSystemMessage(message any) {
	s.mu.Lock()
	s.system = append(s.system, message)
	s.mu.Unlock()
	s.run()
}

// RegisterHandlers implements actor.Mailbox. The dispatcher goes unused.
func (s *slot) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	s.invoker = invoker
}

// Start implements actor.Mailbox.
func (s *slot) Start() {}

// UserMessageCount implements actor.Mailbox.
func (s *slot) UserMessageCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.control)
	if s.frame.Load() != nil {
		n++
	}
	return n
}

// run processes what is there, unless somebody is at it already. Whoever
// posts after the last look finds running false and runs itself.
func (s *slot) run() {
	for s.waiting() && s.running.CompareAndSwap(false, true) {
		s.process()
		s.running.Store(false)
	}
}

func (s *slot) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.system) > 0 || !s.suspended && (len(s.control) > 0 || s.frame.Load() != nil)
}

// process hands messages to the actor until none is left.
func (s *slot) process() {
	var message any
	defer func() {
		if reason := recover(); reason != nil {
			s.invoker.EscalateFailure(reason, message)
		}
	}()
	for {
		var system bool
		if message, system = s.next(); message == nil {
			return
		}
		switch {
		case !system:
			s.invoker.InvokeUserMessage(message)
		default:
			switch message.(type) {
			case *actor.SuspendMailbox:
				s.suspend(true)
			case *actor.ResumeMailbox:
				s.suspend(false)
			default:
				s.invoker.InvokeSystemMessage(message)
			}
		}
	}
}

// next takes the next message: of the system first, then control, then the
// frame.
func (s *slot) next() (message any, system bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.system) > 0 {
		message, s.system = s.system[0], s.system[1:]
		return message, true
	}
	if s.suspended {
		return nil, false
	}
	if len(s.control) > 0 {
		message, s.control = s.control[0], s.control[1:]
		return message, false
	}
	if frame := s.frame.Swap(nil); frame != nil {
		return frame, false
	}
	return nil, false
}

func (s *slot) suspend(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = on
}
