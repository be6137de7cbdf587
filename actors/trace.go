package actors

import (
	"time"

	"github.com/oponn/oponn"
)

// The steps of a vote's trace, one after the other.
const (
	stepMailbox = "mailbox" // until the ballot takes it up
	stepGather  = "gather"  // until its batch is on its way
	stepCommit  = "commit"  // until the batch is committed and the vote answered
	stepPublish = "publish" // until it is its viewers' turn
	stepFrame   = "frame"   // until all of them here have been offered it
)

// maxTracedVotes is how many votes of one frame are followed to the screen.
const maxTracedVotes = 100

// journey follows a vote from step to step. The zero journey is that of a vote
// of which no trace is kept, and costs a comparison.
type journey struct {
	trace oponn.Trace
	since time.Time
}

func (j *journey) begin(trace oponn.Trace) {
	if trace != nil {
		j.trace, j.since = trace, time.Now()
	}
}

// step ends a step and begins the next.
func (j *journey) step(name string, shared oponn.Trace) {
	if j.trace == nil {
		return
	}
	now := time.Now()
	j.trace.Step(name, j.since, now, shared)
	j.since = now
}

// traces returns the traces of the votes in a batch; nil for none.
func traces(casts []*castVote) (found []oponn.Trace) {
	for _, m := range casts {
		if m.journey.trace != nil {
			found = append(found, m.journey.trace)
		}
	}
	return found
}

// shareTransaction begins the span of a transaction that carries votes with
// traces; nil when none has one.
func shareTransaction(jobs []*job) oponn.Trace {
	var all []oponn.Trace
	votes := 0
	for _, j := range jobs {
		all = append(all, j.traces...)
		votes += len(j.casts)
	}
	if len(all) == 0 {
		return nil
	}
	shared := all[0].Share("transaction", time.Now(), all[1:])
	shared.Note("oponn.batches", int64(len(jobs)))
	shared.Note("oponn.votes", int64(votes))
	for _, j := range jobs {
		j.transaction = shared
	}
	return shared
}

// committedVotes ends the steps of a batch that is committed, and returns the
// journeys that go on to the screen.
func (j *job) committedVotes() (onward []journey) {
	if len(j.traces) == 0 {
		return nil
	}
	for _, m := range j.casts {
		if m.journey.trace == nil {
			continue
		}
		m.journey.step(stepCommit, j.transaction)
		if len(onward) < maxTracedVotes {
			onward = append(onward, m.journey)
		}
	}
	return onward
}

// follow takes journeys to the next frame, of as many votes as is worth it.
func (a *audience) follow(onward []journey) {
	if a.viewers == 0 {
		return
	}
	a.traced = append(a.traced, onward[:min(len(onward), maxTracedVotes-len(a.traced))]...)
}

// stepAll ends a step of all journeys to the next frame.
func (a *audience) stepAll(name string) {
	for i := range a.traced {
		a.traced[i].step(name, nil)
	}
}

// failed says whether a transaction was in vain for some batch.
func failed(result []oponn.Appended) bool {
	for _, a := range result {
		if a.Err != nil {
			return true
		}
	}
	return false
}
