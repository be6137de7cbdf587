package voters

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// claims counts how many votes have begun.
type claims struct {
	most int64 // zero: no bound
	n    atomic.Int64
}

// take says whether one more may begin.
func (c *claims) take() bool { return c.most == 0 || c.n.Add(1) <= c.most }

// closed lets every connection vote, again and again.
func (l *Load) closed(ctx context.Context, conns []wire.Conn) {
	l.start()
	var voting sync.WaitGroup
	for i, conn := range conns {
		voting.Go(func() {
			v := newVoter(l, i, conn)
			defer v.done()
			if !pause(ctx, l.config.Ramp/time.Duration(len(conns))*time.Duration(i)) {
				return
			}
			for ctx.Err() == nil {
				now := l.config.Now()
				if now >= l.end || !l.claims.take() {
					return
				}
				v.vote.due = now
				if v.prepare(ctx) {
					v.seeThrough(ctx)
				}
			}
		})
	}
	voting.Wait()
}

// open has votes fall due at fixed times. The connections take them in order;
// when all are busy, what is due waits, and its wait counts.
func (l *Load) open(ctx context.Context, conns []wire.Conn) {
	l.queue = newQueue()
	if !l.drive(ctx, conns) {
		l.spread(ctx, conns)
	}
	for _, waiting := l.queue.next(); waiting; _, waiting = l.queue.next() {
		l.notes.giveUp(l.queue.pop()) // the context has ended
	}
}

// spread has a goroutine for each connection, whatever kind it is of.
func (l *Load) spread(ctx context.Context, conns []wire.Conn) {
	l.start()
	work := make(chan job, len(conns))
	var voting sync.WaitGroup
	for i, conn := range conns {
		voting.Go(func() {
			v := newVoter(l, i, conn)
			defer v.done()
			for j := range work {
				v.do(ctx, j)
			}
		})
	}
	l.dispatch(ctx, work)
	close(work)
	voting.Wait()
}

// do sends a vote that is due, for the first time or again.
func (v *voter) do(ctx context.Context, j job) {
	switch {
	case j.again != nil:
		v.vote = *j.again
	case v.overdue(j):
		return
	default:
		v.vote.due = j.due
		if !v.prepare(ctx) {
			v.load.queue.over()
			return
		}
	}
	v.settle(v.attempt(ctx))
}

// overdue gives up a vote that is late: the backlog of a server that can't keep
// up must not outlast the run.
func (v *voter) overdue(j job) bool {
	if v.load.config.Now()-j.due <= int64(v.load.config.Deadline) {
		return false
	}
	v.vote = vote{due: j.due}
	v.load.notes.drop(&v.vote)
	v.load.queue.over()
	return true
}

// settle ends a vote, or keeps it: one that has to be sent once more later
// doesn't occupy the connection meanwhile.
func (v *voter) settle(wait time.Duration, again bool) {
	if !again {
		v.load.queue.over()
		return
	}
	kept := v.vote
	v.load.queue.later(v.load.config.Now()+int64(wait), &kept)
}

// dispatcher hands out votes when they are due: first ones by the schedule, and
// those that are to be sent again.
type dispatcher struct {
	load     *Load
	arrivals schedule
	// next is when the next first vote is due, if there are more.
	next int64
	more bool
	// free is since when connections had no more than enough to do: before, it
	// was not the tester who was late.
	free int64
}

// lookAround is how long the dispatcher sleeps at most: a vote to be sent again
// may come in meanwhile.
const lookAround = 5 * time.Millisecond

func newDispatcher(l *Load) dispatcher {
	d := dispatcher{load: l, free: l.begin, arrivals: schedule{rate: l.config.Rate, ramp: l.config.Ramp}}
	d.advance()
	return d
}

// dispatch hands out all votes, until none is left or the context ends.
func (l *Load) dispatch(ctx context.Context, work chan<- job) {
	d, wait := newDispatcher(l), l.config.Wait
	if wait == nil {
		wait = newWaiter()
	}
	defer wait.Close()
	for ctx.Err() == nil {
		due, first := d.due()
		if due == math.MaxInt64 && l.queue.empty() {
			return
		}
		if now := l.config.Now(); due > now {
			wait.Until(min(due, now+int64(lookAround)))
			continue
		}
		d.hand(ctx, work, d.take(due, first))
	}
}

// advance finds out when the next first vote is due.
func (d *dispatcher) advance() {
	d.next = d.load.begin + int64(d.arrivals.next())
	d.more = d.next < d.load.end && d.load.claims.take()
}

// due says when the next vote is due, and whether it is a first one. Never is
// the end of time.
func (d *dispatcher) due() (at int64, first bool) {
	again, waiting := d.load.queue.next()
	switch {
	case d.more && (!waiting || d.next <= again):
		return d.next, true
	case waiting:
		return again, false
	default:
		return math.MaxInt64, false
	}
}

// take makes the vote that is due a job.
func (d *dispatcher) take(due int64, first bool) job {
	if !first {
		return job{due: due, again: d.load.queue.pop()}
	}
	d.load.notes.late(d.load.config.Now() - max(due, d.free))
	d.load.queue.begin()
	d.advance()
	return job{due: due}
}

// hand gives a job to a connection, as soon as there is one.
func (d *dispatcher) hand(ctx context.Context, work chan<- job, j job) {
	select {
	case work <- j:
		return
	default:
	}
	select {
	case work <- j:
		d.free = d.load.config.Now()
	case <-ctx.Done():
		if j.again != nil {
			d.load.notes.giveUp(j.again)
		}
	}
}

// schedule says when votes are due in an open loop: evenly, at a rate that
// grows from zero during the ramp.
type schedule struct {
	rate float64
	ramp time.Duration
	n    float64
}

// next returns the time from the beginning to the next arrival.
func (s *schedule) next() time.Duration {
	n := s.n
	s.n++
	ramp := s.ramp.Seconds()
	during := s.rate * ramp / 2 // arrivals while the rate grows
	if n < during {
		return time.Duration(math.Sqrt(2*n*ramp/s.rate) * float64(time.Second))
	}
	return s.ramp + time.Duration((n-during)/s.rate*float64(time.Second))
}

// pause waits, unless the context ends before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
