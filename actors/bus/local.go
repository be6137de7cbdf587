// Package bus carries notices of moved heads between instances.
package bus

import (
	"context"
	"sync"

	"github.com/oponn/oponn"
)

// Local is the bus of a single process: it ties together the actor systems
// that share it through Join, and is the default of one that is alone.
type Local struct {
	hub *hub

	mu       sync.RWMutex
	receive  func(oponn.Notice)
	followed map[oponn.BallotID]bool
}

// hub is what the members of one bus share.
type hub struct {
	mu      sync.RWMutex
	members map[*Local]bool
}

// NewLocal returns a bus with one member.
func NewLocal() *Local { return (&hub{members: make(map[*Local]bool)}).join() }

// Join returns another member of the same bus.
func (l *Local) Join() *Local { return l.hub.join() }

func (h *hub) join() *Local {
	l := &Local{hub: h, followed: make(map[oponn.BallotID]bool)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[l] = true
	return l
}

// Publish implements oponn.Bus.
func (l *Local) Publish(_ context.Context, notice oponn.Notice) error {
	l.hub.mu.RLock()
	defer l.hub.mu.RUnlock()
	for member := range l.hub.members {
		member.deliver(notice)
	}
	return nil
}

// Alone says whether the bus has one member only, whose notices nobody else
// would get.
func (l *Local) Alone() bool {
	l.hub.mu.RLock()
	defer l.hub.mu.RUnlock()
	return len(l.hub.members) == 1
}

func (l *Local) deliver(notice oponn.Notice) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.receive != nil && l.followed[notice.Ballot] {
		l.receive(notice)
	}
}

// Receive implements oponn.Bus.
func (l *Local) Receive(receive func(oponn.Notice)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.receive = receive
}

// Follow implements oponn.Bus.
func (l *Local) Follow(ballot oponn.BallotID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followed[ballot] = true
}

// Unfollow implements oponn.Bus.
func (l *Local) Unfollow(ballot oponn.BallotID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.followed, ballot)
}

// Close implements oponn.Bus.
func (l *Local) Close() error {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	delete(l.hub.members, l)
	return nil
}
