package actors

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

const (
	// maxIdleHands is how many goroutines wait for the next mailbox to run: more
	// than the ballots that transactions answer at once.
	maxIdleHands = 500
	// throughput is after how many messages a mailbox lets others go on.
	throughput = 300
)

// crew is the dispatcher of all actors but subscribers. It runs mailboxes in
// goroutines that it keeps: with a new one for each run, votes on many ballots
// spend more on goroutines that are made and on stacks that grow than on
// messages. There are as many as mailboxes run at once, so that none waits for
// another; only how many are kept is bounded.
type crew struct {
	mu    sync.Mutex
	idle  []*hand
	spare int // so many were idle all the time since the last trim
	over  bool
}

// hand is a goroutine of a crew.
type hand struct{ work chan func() }

var _ actor.Dispatcher = (*crew)(nil)

// Schedule implements actor.Dispatcher.
func (c *crew) Schedule(run func()) {
	if h := c.pick(); h != nil {
		h.work <- run
		return
	}
	go c.begin(run)
}

// Throughput implements actor.Dispatcher.
func (c *crew) Throughput() int { return throughput }

// pick takes the hand that was idle last, whose stack is in the caches; nil
// when there is none.
func (c *crew) pick() *hand {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) == 0 {
		return nil
	}
	last := len(c.idle) - 1
	h := c.idle[last]
	c.idle[last], c.idle = nil, c.idle[:last]
	c.spare = min(c.spare, last)
	return h
}

// begin is the life of a hand.
func (c *crew) begin(run func()) {
	h := &hand{work: make(chan func(), 1)}
	for run != nil {
		run()
		if !c.rest(h) {
			return
		}
		run = <-h.work
	}
}

// rest lets a hand wait for work, unless enough do.
func (c *crew) rest(h *hand) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || len(c.idle) == maxIdleHands {
		return false
	}
	c.idle = append(c.idle, h)
	return true
}

// trim lets hands go that have had nothing to do since the last trim.
func (c *crew) trim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(c.spare)
}

// dismiss lets idle hands go, and others when they have finished. Whatever is
// scheduled afterwards is run all the same.
func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.leave(len(c.idle))
}

// leave lets n idle hands go: those that have been idle for longest.
func (c *crew) leave(n int) {
	for _, h := range c.idle[:n] {
		close(h.work)
	}
	c.idle = slices.Delete(c.idle, 0, n)
	c.spare = len(c.idle)
}
