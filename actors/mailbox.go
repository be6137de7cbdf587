package actors

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is what all actors but subscribers have: it is unbounded, as
// admission bounds what waits, and the crew runs it. Everything that a message
// touches is in one place of memory, behind one lock: with a thousand hot ballots
// hardly anything of one is in the caches when the next vote comes, and finding
// the parts of the framework's mailbox costs more than working with them.
//
// Its fields are in the order of their use: a line of the cache for whoever
// posts, the next for whoever runs it.
type mailbox struct {
	mu sync.Mutex // for user, system and scheduled
	// posted and taken count messages that are not the framework's.
	posted, taken atomic.Uint64
	urgent        atomic.Int32 // the length of system
	scheduled     bool         // somebody runs it, or is about to
	suspended     bool         // touched by whoever runs it, as is hand
	user          []any
	// probe is the number of the posted message whose time in the mailbox is
	// being measured; 0 for none.
	probe atomic.Uint64

	crew    *crew
	work    func() // run, once for all
	hand    []any  // messages in the order in which they came, from the next on
	next    int
	invoker actor.MessageInvoker

	system []any

	// lost gets what comes when the actor has stopped; without, it would wait for
	// nothing. stopped is touched by whoever runs it.
	lost    func(message any)
	stopped bool
}

// maxIdleRoom is for how many messages a mailbox keeps room that has none.
const maxIdleRoom = 1000

// RegisterHandlers implements actor.Mailbox. The dispatcher goes unused.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker, m.work = invoker, m.run
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int {
	taken := m.taken.Load() // first: it follows the other
	return int(m.posted.Load() - taken)
}

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	m.posted.Add(1)
	m.user = append(m.user, message)
	m.schedule()
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.system = append(m.system, message)
	m.urgent.Store(int32(len(m.system)))
	m.schedule()
}

// schedule has the mailbox run, unless somebody does, and unlocks it.
func (m *mailbox) schedule() {
	idle := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if idle {
		m.crew.Schedule(m.work)
	}
}

// run hands messages to the actor until none is left.
func (m *mailbox) run() {
	for done := false; !done; {
		done = m.process()
	}
}

// process hands messages to the actor until none is left; it returns false when
// the actor has failed over one.
func (m *mailbox) process() (done bool) {
	var message any
	defer func() {
		if reason := recover(); reason != nil {
			m.invoker.EscalateFailure(reason, message)
		}
	}()
	for n := 1; ; n++ {
		var system, ok bool
		switch message, system, ok = m.pick(); {
		case !ok:
			return true
		case system:
			m.invokeSystem(message)
		case m.stopped:
			m.lost(message)
		default:
			m.invoker.InvokeUserMessage(message)
		}
		if n%throughput == 0 {
			runtime.Gosched()
		}
	}
}

func (m *mailbox) invokeSystem(message any) {
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

// pick takes the next message, those of the system first. When there is none, it
// says so, and the next that comes has the mailbox scheduled anew.
func (m *mailbox) pick() (message any, system, ok bool) {
	if m.urgent.Load() > 0 || m.suspended || m.next == len(m.hand) {
		if message, system, ok = m.open(); system || !ok {
			return message, system, ok
		}
	}
	message, m.hand[m.next] = m.hand[m.next], nil
	m.next++
	m.taken.Add(1)
	return message, false, true
}

// open takes a message of the system, or all others in hand, when there are any.
func (m *mailbox) open() (message any, system, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.system) > 0 {
		message, m.system = m.system[0], m.system[1:]
		m.urgent.Store(int32(len(m.system)))
		return message, true, true
	}
	if !m.suspended && m.next == len(m.hand) {
		m.hand, m.user, m.next = m.user, m.hand[:0], 0
	}
	if m.suspended || len(m.hand) == 0 {
		m.scheduled = false
		m.clear()
		return nil, false, false
	}
	return nil, false, true
}

// clear gives back much room that nothing is in.
func (m *mailbox) clear() {
	if len(m.user) == 0 && cap(m.user) > maxIdleRoom {
		m.user = nil
	}
	if len(m.hand) == m.next && cap(m.hand) > maxIdleRoom {
		m.hand, m.next = nil, 0
	}
}
