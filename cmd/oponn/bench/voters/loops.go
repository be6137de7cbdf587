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
	for _, waiting := l.queue.next(); waiting; _, waiting = l.queue.next() {
		l.notes.giveUp(l.queue.pop()) // the context has ended
	}
}

// do sends a vote that is due, for the first time or again. One that has to be
// sent once more later doesn't occupy the connection meanwhile.
func (v *voter) do(ctx context.Context, j job) {
	late := v.load.config.Now()-j.due > int64(v.load.config.Deadline)
	switch {
	case j.again != nil:
		v.vote = *j.again
	case late: // the backlog of a server that can't keep up must not outlast the run
		v.vote = vote{due: j.due}
		v.load.notes.drop(&v.vote)
		v.load.queue.over()
		return
	default:
		v.vote.due = j.due
		if !v.prepare(ctx) {
			v.load.queue.over()
			return
		}
	}
	wait, again := v.attempt(ctx)
	if !again {
		v.load.queue.over()
		return
	}
	kept := v.vote
	v.load.queue.later(v.load.config.Now()+int64(wait), &kept)
}

// dispatch hands out votes when they are due, first ones and those to be sent
// again, until none is left.
func (l *Load) dispatch(ctx context.Context, work chan<- job) {
	wait := l.config.Wait
	if wait == nil {
		wait = newWaiter()
	}
	defer wait.Close()
	arrivals := schedule{rate: l.config.Rate, ramp: l.config.Ramp}
	next, more := l.arrival(&arrivals)
	// free is since when connections had no more than enough to do: before, it
	// was not the tester who was late.
	free := l.begin
	for ctx.Err() == nil {
		retry, waiting := l.queue.next()
		due := next
		switch {
		case !more && !waiting:
			if l.queue.empty() {
				return
			}
			due = math.MaxInt64
		case waiting && (!more || retry < next):
			due = retry
		}
		now := l.config.Now()
		if due > now {
			// A vote that is sent again may come in meanwhile: look around.
			wait.Until(min(due, now+int64(lookAround)))
			continue
		}
		j := job{due: due}
		if due == next && more {
			l.notes.late(now - max(due, free))
			l.queue.begin()
			next, more = l.arrival(&arrivals)
		} else {
			j.again = l.queue.pop()
		}
		select {
		case work <- j:
			continue
		default:
		}
		select {
		case work <- j:
			free = l.config.Now()
		case <-ctx.Done():
		}
	}
}

// lookAround is how long the dispatcher sleeps at most.
const lookAround = 5 * time.Millisecond

// arrival returns when the next vote is due, unless there is none.
func (l *Load) arrival(s *schedule) (due int64, more bool) {
	due = l.begin + int64(s.next())
	return due, due < l.end && l.claims.take()
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
