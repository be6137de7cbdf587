package actors

import (
	"sync"
	"time"
)

// patience ends the wait of requests whose asker has no other end to it, each
// at its deadline. All wait for the same time, so that they end in the order
// in which they came: one timer for the first of them does for all, where one
// for each would cost a vote more than its seal.
type patience struct {
	mu    sync.Mutex
	first *turn
	last  *turn
	timer *time.Timer // nil until somebody waits
	armed bool
}

// turn is a request's place in the line of those who wait.
type turn struct {
	deadline      time.Time
	expire        func()
	before, after *turn
	waits         bool
}

// wait puts a request at the end of the line.
func (p *patience) wait(t *turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.waits, t.before = true, p.last
	if p.last == nil {
		p.first = t
	} else {
		p.last.after = t
	}
	p.last = t
	if !p.armed {
		p.arm()
	}
}

// leave takes a request out of the line.
func (p *patience) leave(t *turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(t)
}

func (p *patience) remove(t *turn) {
	if !t.waits {
		return
	}
	if t.before == nil {
		p.first = t.after
	} else {
		t.before.after = t.after
	}
	if t.after == nil {
		p.last = t.before
	} else {
		t.after.before = t.before
	}
	t.waits, t.before, t.after = false, nil, nil
}

// arm sets the timer for the first in the line.
func (p *patience) arm() {
	wait := time.Until(p.first.deadline)
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.sweep)
		return
	}
	p.timer.Reset(wait)
}

// sweep ends the wait of those whose deadline has come.
func (p *patience) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for p.first != nil && !p.first.deadline.After(now) {
		t := p.first
		p.remove(t)
		t.expire()
	}
	if p.armed = p.first != nil; p.armed {
		p.arm()
	}
}
