package actors

import (
	"runtime"
	"slices"
	"sync"
)

const (
	// maxIdleHands is how many goroutines wait for the next mailboxes to run.
	maxIdleHands = 64
	// throughput is after how many messages a mailbox lets others go on, and
	// runsAtOnce after how many mailboxes a hand does.
	throughput = 300
	runsAtOnce = 16
)

// crew runs the mailboxes of all actors but subscribers. Those that have
// something to do stand in line, and goroutines run one after the other. A hand
// that takes a mailbox calls the next hand when there are more, and none is
// called while one is on its way: where all go on, a few run the mailboxes of a
// thousand ballots, without a switch of goroutines for each and with their
// stacks in the caches; where one is held up, the next takes over, so that no
// mailbox waits for another. Only how many idle hands are kept is bounded.
//
// (Go's scheduler wakes its threads in the same way: "spinning" in
// runtime/proc.go.)
type crew struct {
	mu     sync.Mutex
	line   []func() // from the next on
	next   int
	called bool // a hand, which has not come yet
	idle   []*hand
	spare  int // so many were idle all the time since the last trim
	over   bool
}

// hand is a goroutine of a crew. Its channel is closed when it shall go.
type hand struct{ call chan struct{} }

// Schedule has something run, which may take its time.
func (c *crew) Schedule(run func()) {
	c.mu.Lock()
	c.line = append(c.line, run)
	h := c.pick()
	c.mu.Unlock()
	c.summon(h)
}

// pick chooses a hand to be called: the one that was idle last, or a new one.
// It chooses none while one is on its way, or nothing is to be done.
func (c *crew) pick() *hand {
	if c.called || c.next == len(c.line) {
		return nil
	}
	c.called = true
	last := len(c.idle) - 1
	if last < 0 {
		return &hand{}
	}
	h := c.idle[last]
	c.idle[last], c.idle = nil, c.idle[:last]
	c.spare = min(c.spare, last)
	return h
}

// summon calls a hand that was picked, if one was.
func (c *crew) summon(h *hand) {
	switch {
	case h == nil:
	case h.call == nil:
		h.call = make(chan struct{}, 1)
		go c.work(h)
	default:
		h.call <- struct{}{}
	}
}

// work is the life of a hand.
func (c *crew) work(h *hand) {
	for on := true; on; _, on = <-h.call {
		run, stays := c.take(h, true)
		for n := 1; run != nil; n++ {
			run()
			if n%runsAtOnce == 0 {
				runtime.Gosched()
			}
			run, stays = c.take(h, false)
		}
		if !stays {
			return
		}
	}
}

// take returns the next mailbox to run, and calls another hand when there are
// more. A hand that gets none is idle from then on, unless enough are: then it
// shall not stay. came says that it has just been called.
func (c *crew) take(h *hand, came bool) (run func(), stays bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if came {
		c.called = false
	}
	if c.next == len(c.line) {
		if c.over || len(c.idle) == maxIdleHands {
			return nil, false
		}
		c.idle = append(c.idle, h)
		return nil, true
	}
	run, c.line[c.next] = c.line[c.next], nil
	c.next++
	c.moveUp()
	c.summon(c.pick())
	return run, true
}

// moveUp gives back the line's part that has been served, before the line has
// grown by it.
func (c *crew) moveUp() {
	if c.next == len(c.line) || c.next >= cap(c.line)/2 {
		c.line, c.next = slices.Delete(c.line, 0, c.next), 0
	}
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
		close(h.call)
	}
	c.idle = slices.Delete(c.idle, 0, n)
	c.spare = len(c.idle)
}
