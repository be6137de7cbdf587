package actors

import (
	"slices"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// job is one batch on its way through the writer, with those who wait for it.
// Its ballot lets votes join until the writer takes it; then it is closed, and
// belongs to the writer until that has answered.
type job struct {
	from    *vitals // the ballot's mailbox
	meters  *meters
	ballot  *oponn.Ballot // for which the votes are prepared
	known   oponn.Known   // by the ballot
	changes []*changeBallot
	begun   time.Time // when the writer first got it

	mu    sync.Mutex // for the next three, until it is taken
	most  int        // votes
	casts []*castVote
	taken time.Time // zero: not yet
	batch oponn.Batch

	// unknown says that some attempt may have committed: from then on only the
	// store's answer to the same batch will do.
	unknown  bool
	attempts int
	// traces are those of the votes, transaction what they shared last.
	traces      []oponn.Trace
	transaction oponn.Trace
}

// deletes says whether the job is to delete the ballot.
func (j *job) deletes() bool { return len(j.changes) > 0 && j.changes[0].change.Delete }

// change returns what the owner wants, which may be nothing.
func (j *job) change() oponn.Change {
	if len(j.changes) == 0 {
		return oponn.Change{}
	}
	return j.changes[0].change
}

// join lets one more vote in, unless it is prepared for another definition, or
// the job is full or closed. Once it refuses, it always does.
func (j *job) join(ballot *oponn.Ballot, m *castVote) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.taken.IsZero() || j.ballot != ballot || len(j.casts) >= j.most {
		return false
	}
	j.casts = append(j.casts, m)
	j.meters.writer.waiting.Add(1)
	return true
}

// size returns how many votes there are.
func (j *job) size() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.casts)
}

// close lets nobody join any more, and returns who has; false when it was closed
// before.
func (j *job) close(now time.Time) ([]*castVote, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.taken.IsZero() {
		return nil, false
	}
	j.taken = now
	return j.casts, true
}

// take closes the job, turns away those whose voters are no longer there, and
// makes the batch. A job that is tried again stays as it is.
func (j *job) take(now time.Time) {
	came, first := j.close(now)
	if !first {
		return
	}
	stages := &j.meters.screen
	casts := came
	if slices.ContainsFunc(came, func(m *castVote) bool { return m.expired(now) }) {
		casts = slices.DeleteFunc(slices.Clone(came), func(m *castVote) bool { return m.late(now) })
	}
	votes := make([]oponn.Vote, len(casts))
	for i, m := range casts {
		stages.mailbox.Observe(m.came.Sub(m.begun).Seconds())
		stages.gather.Observe(now.Sub(m.came).Seconds())
		votes[i] = m.vote
		m.journey.step(stepGather, nil)
	}
	j.traces = traces(casts)
	j.batch = oponn.Batch{Ballot: j.ballot.ID, Votes: votes, WriteIns: len(j.known.WriteIns),
		Codes: j.ballot.Definition.Protection == oponn.ProtectedByCodes,
		Apply: j.ballot.Applying(votes, j.change(), j.known)}
	if len(j.changes) == 0 {
		j.batch.Head = j.known.Head
	}
	j.meters.writer.waiting.Add(int64(len(casts) - len(came)))
	j.mu.Lock()
	defer j.mu.Unlock()
	j.casts = casts
}

// late turns a vote away whose voter is no longer there.
func (m *castVote) late(now time.Time) bool {
	if !m.expired(now) {
		return false
	}
	m.refuse(errLate())
	return true
}

// refuse gives everyone who waits the same error.
func (j *job) refuse(err error) {
	for _, m := range j.casts {
		m.refuse(err)
	}
	for _, m := range j.changes {
		m.refuse(err)
	}
}

// deadline returns until when somebody waits.
func (j *job) deadline() time.Time {
	var last time.Time
	for _, m := range j.casts {
		last = later(last, m.deadline)
	}
	for _, m := range j.changes {
		last = later(last, m.deadline)
	}
	return last
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
