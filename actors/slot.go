package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// slot is a subscriber's mailbox. It holds one frame, and a newer one takes
// its place: conflation and bound in one mechanism. Other messages are few and
// have a queue of their own, so that no frame pushes them out.
//
// The actor runs in the goroutine of whoever sends while nobody else runs it:
// a frame costs no scheduling and an idle viewer no goroutine.
type slot struct {
	frame atomic.Pointer[oponn.Frame]
	// posts counts what was posted since the actor was last at rest. Whoever
	// posts the first runs the actor, until it has looked after the last one.
	posts  atomic.Int32
	queued atomic.Int32 // the length of queue
	// suspended is touched by whoever runs the actor.
	suspended bool
	invoker   actor.MessageInvoker

	mu    sync.Mutex
	queue []queued
}

// queued is a message other than a frame.
type queued struct {
	message any
	system  bool
}

// PostUserMessage implements actor.Mailbox.
func (s *slot) PostUserMessage(message any) {
	if frame, ok := message.(*oponn.Frame); ok {
		s.show(frame)
		return
	}
	s.enqueue(queued{message: message})
}

// PostSystemMessage implements actor.Mailbox.
func (s *slot) PostSystemMessage(message any) { s.enqueue(queued{message: message, system: true}) }

// show posts a frame, and says whether it took the place of one.
func (s *slot) show(frame *oponn.Frame) (replaced bool) {
	replaced = s.frame.Swap(frame) != nil
	s.posted()
	return replaced
}

func (s *slot) enqueue(m queued) {
	s.mu.Lock()
	s.queue = append(s.queue, m)
	s.queued.Add(1)
	s.mu.Unlock()
	s.posted()
}

// RegisterHandlers implements actor.Mailbox. The dispatcher goes unused.
func (s *slot) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	s.invoker = invoker
}

// Start implements actor.Mailbox.
func (s *slot) Start() {}

// UserMessageCount implements actor.Mailbox.
func (s *slot) UserMessageCount() int {
	n := int(s.queued.Load())
	if s.frame.Load() != nil {
		n++
	}
	return n
}

// posted runs the actor, unless somebody is at it already.
func (s *slot) posted() {
	if s.posts.Add(1) > 1 {
		return
	}
	for {
		n := s.posts.Load()
		for done := false; !done; {
			done = s.process()
		}
		if s.posts.Add(-n) == 0 {
			return
		}
	}
}

// process hands messages to the actor until none is left; false when the actor
// failed over one.
func (s *slot) process() (done bool) {
	var message any
	defer func() {
		if reason := recover(); reason != nil {
			s.invoker.EscalateFailure(reason, message)
		}
	}()
	for {
		m, ok := s.next()
		if !ok {
			return true
		}
		message = m.message
		if !m.system {
			s.invoker.InvokeUserMessage(message)
			continue
		}
		switch message.(type) {
		case *actor.SuspendMailbox:
			s.suspended = true
		case *actor.ResumeMailbox:
			s.suspended = false
		default:
			s.invoker.InvokeSystemMessage(message)
		}
	}
}

// next takes the next message: of the system first, then others, then the
// frame.
func (s *slot) next() (queued, bool) {
	if s.queued.Load() > 0 {
		if m, ok := s.dequeue(); ok {
			return m, true
		}
	}
	if s.suspended || s.frame.Load() == nil {
		return queued{}, false
	}
	return queued{message: s.frame.Swap(nil)}, true
}

func (s *slot) dequeue() (queued, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := 0
	for i, m := range s.queue {
		if m.system {
			at = i
			break
		}
	}
	if len(s.queue) == 0 || s.suspended && !s.queue[at].system {
		return queued{}, false
	}
	m := s.queue[at]
	copy(s.queue[at:], s.queue[at+1:])
	s.queue[len(s.queue)-1] = queued{}
	if s.queue = s.queue[:len(s.queue)-1]; len(s.queue) == 0 {
		s.queue = nil // an idle viewer holds nothing
	}
	s.queued.Add(-1)
	return m, true
}
