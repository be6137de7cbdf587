package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// Messages of a writer.
type (
	// appendBatch asks for a ballot's batch to be committed.
	appendBatch struct{ job *job }
	// committed is the answer, to the ballot.
	committed struct {
		job *job
		*oponn.Appended
	}
	// paced tells the writer that the time for its next transaction has come.
	paced struct{}
	// transacted tells the writer that its transaction has ended.
	transacted struct {
		result []oponn.Appended
		took   time.Duration
	}
)

// What transactions carry at most: so many batches among all that run at once,
// and from its second batch on so many votes in each. With many hot ballots,
// votes join the batches that are left for the next transaction (see job), and
// there are fewer batches for as many votes.
const (
	maxUnderway         = 200
	maxTransactionVotes = 4000
)

// pace is the least time from the beginning of a transaction of crowded votes or
// more to the next one's. Where a commit takes less, a crowd comes in small
// batches, and a vote costs half as much again; where it takes more, and where
// few vote, nobody waits.
const (
	pace    = time.Millisecond
	crowded = 4
)

// transactionTimeout bounds one transaction. The store sees to it that it
// doesn't cut off a COMMIT.
const transactionTimeout = 5 * time.Second

// desk is what a writer keeps over its own crashes: whether a transaction is
// under way, which goes on in a goroutine of its own.
type desk struct {
	writing bool
	begun   time.Time // the last transaction
	pacing  bool      // a timer will tell when the next one may begin
	votes   pulse
	last    int           // votes in the last transaction
	took    time.Duration // by it
}

// writer commits batches: one transaction at a time, with the batches of all
// ballots that gathered meanwhile (group commit). Each ballot has at most one
// batch here, so that the queue is bounded by the ballots awake.
type writer struct {
	system *System
	desk   *desk
	queue  []*job
}

func (s *System) writerProps() *actor.Props {
	d := &desk{}
	return s.props("writer", func() actor.Actor { return &writer{system: s, desk: d} })
}

// Receive implements actor.Actor.
func (w *writer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *appendBatch:
		w.queue = append(w.queue, m.job)
		w.next(ctx)
	case *paced:
		w.desk.pacing = false
		w.next(ctx)
	case *transacted:
		w.desk.writing = false
		w.desk.done(m)
		w.next(ctx)
	case *lookAtWriter:
		m.show(w.inspection())
	case *actor.Restarting:
		for _, j := range w.queue {
			j.take(time.Now())
			w.system.meters.writer.waiting.Add(-int64(len(j.batch.Votes)))
			j.from.PostUserMessage(&committed{job: j, Appended: &oponn.Appended{Err: errBusy("Please try again.")}})
		}
	}
}

// next begins the next transaction, when there is something to do, none is under
// way, and it is time.
func (w *writer) next(ctx actor.Context) {
	now := time.Now()
	if w.desk.writing || len(w.queue) == 0 || w.early(ctx, now) {
		return
	}
	n, votes := 0, 0
	most := max(1, maxUnderway/w.system.cfg.Writers)
	for n < len(w.queue) && n < most {
		votes += w.queue[n].size()
		if n > 0 && votes > maxTransactionVotes {
			break
		}
		w.queue[n].take(now)
		n++
	}
	jobs := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	w.desk.writing, w.desk.begun = true, now
	self, root := ctx.Self(), w.system.root
	w.system.task(func() {
		begun := time.Now()
		result := w.system.transact(jobs)
		root.Send(self, &transacted{result: result, took: time.Since(begun)})
		for i, j := range jobs { // while the writer begins the next
			w.system.meters.writer.waiting.Add(-int64(len(j.batch.Votes)))
			j.from.PostUserMessage(&committed{job: j, Appended: &result[i]})
		}
	})
}

// early says whether a crowd shall gather first, and has a timer tell when it
// has.
func (w *writer) early(ctx actor.Context, now time.Time) bool {
	wait := pace - now.Sub(w.desk.begun)
	if wait <= 0 || w.desk.last < crowded {
		return false
	}
	if !w.desk.pacing {
		w.desk.pacing = true
		self, root := ctx.Self(), w.system.root
		time.AfterFunc(wait, func() { root.Send(self, &paced{}) })
	}
	return true
}

// transact runs one transaction.
func (s *System) transact(jobs []*job) (result []oponn.Appended) {
	ctx := onBehalfOf(jobs)
	defer func() {
		// A store that panics may have committed: only asking again will tell.
		if reason := recover(); reason != nil {
			s.cfg.Logger.ErrorContext(ctx, "store failed", "reason", fmt.Sprint(reason), "stack", oponn.Stack())
			result = make([]oponn.Appended, len(jobs))
			for i := range result {
				result[i].Err = errUnknown(errors.New("the store panicked"))
			}
		}
	}()
	batches := make([]oponn.Batch, len(jobs))
	for i, j := range jobs {
		batches[i] = j.batch
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTimeout)
	defer cancel()
	defer s.meters.writer.transacting(batches, time.Now())
	if shared := shareTransaction(jobs); shared != nil {
		ctx = oponn.WithTrace(ctx, shared)
		defer func() { shared.End(failed(result)) }()
	}
	result = s.cfg.Store.Append(ctx, batches)
	votes := 0
	s.failing.note(result)
	for i := range result {
		votes += len(result[i].Effect.Outcomes)
	}
	s.committed.Add(uint64(votes))
	s.votes.add(votes)
	return result
}

// onBehalfOf returns a context that names a request of those whose votes the
// jobs carry, and how many more there are.
func onBehalfOf(jobs []*job) context.Context {
	var first string
	waiting := 0
	for _, j := range jobs {
		switch {
		case first != "":
		case len(j.casts) > 0:
			first = j.casts[0].origin
		case len(j.changes) > 0:
			first = j.changes[0].origin
		}
		waiting += len(j.casts) + len(j.changes)
	}
	return named(context.Background(), first, waiting)
}
