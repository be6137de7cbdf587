package actors

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn"
)

// A batch whose answer was lost is tried again after this, doubling, until the
// last voter's deadline has passed.
const retryAfter = 20 * time.Millisecond

// cast checks and seals a vote and lets it join the batch that waits for the
// writer, or the next one.
func (b *ballot) cast(ctx actor.Context, m *castVote) {
	m.journey.step(stepMailbox, nil)
	if !b.prepare(m) {
		return
	}
	if j := b.life.underway; j != nil && j.join(b.ballot, m) {
		return
	}
	b.gathering = append(b.gathering, m)
	b.submit(ctx)
}

// prepare checks and seals a vote, or refuses it.
func (b *ballot) prepare(m *castVote) bool {
	err := b.ballot.Admits(&m.cast)
	if err != nil {
		m.refuse(err)
		return false
	}
	choice, err := b.ballot.Choose(m.cast.Choices, m.cast.WriteIn, b.writeIns)
	if err != nil {
		m.refuse(err)
		return false
	}
	m.vote = b.ballot.Prepare(m.cast.Voter, m.cast.VoteID, choice)
	return true
}

// submit sends what has gathered to the writer, unless that has a batch of this
// ballot already. Votes that come while a batch waits there join it, those that
// come while it is written gather for the next: so batches grow with the load
// and no timer delays a vote that comes alone.
func (b *ballot) submit(ctx actor.Context) {
	if b.life.underway != nil || b.refusal != nil || len(b.gathering)+len(b.changes) == 0 && !b.settle {
		return
	}
	j := &job{from: b.life.vitals, begun: time.Now(), meters: b.system.meters, ballot: b.ballot, most: b.system.cfg.MaxBatch,
		known: oponn.Known{Head: b.head, State: b.state, WriteIns: b.writeIns}}
	if len(b.changes) > 0 {
		// One at a time: each has its own answer.
		j.changes = slices.Clone(b.changes[:1])
		b.changes = b.changes[1:]
		if j.changes[0].change.Edits() {
			j.most = 0 // votes are prepared anew afterwards
		}
	}
	n := min(len(b.gathering), j.most)
	j.casts = slices.Clone(b.gathering[:n])
	b.gathering = slices.Delete(b.gathering, 0, n)
	b.settle = false
	b.life.underway = j
	b.system.meters.writer.waiting.Add(int64(len(j.casts)))
	ctx.Send(b.system.writer(b.id), &appendBatch{job: j})
}

// committed takes the writer's word about a batch.
func (b *ballot) committed(ctx actor.Context, m *committed) {
	j := m.job
	if b.life.underway != j {
		return
	}
	b.lastActive = time.Now()
	if m.Err != nil {
		b.life.exhibit.failed(m.Err, b.lastActive)
		b.failed(ctx, j, m.Err)
		return
	}
	b.life.exhibit.committed(len(j.casts), b.lastActive.Sub(j.begun), b.lastActive)
	b.life.commits.note(b.lastActive.Sub(j.begun))
	b.life.underway = nil
	b.system.meters.committed(j, m.Effect, b.lastActive)
	b.current = j
	if b.ballot == nil || b.refusal != nil {
		b.answerStranger(ctx, j, m.Effect)
		return
	}
	b.apply(ctx, j, m.Effect)
	b.current = nil
	b.submit(ctx)
}

// apply makes the committed effect the known state, answers, and publishes.
func (b *ballot) apply(ctx actor.Context, j *job, effect oponn.Effect) {
	if effect.Tombstone {
		b.buried(ctx, j, effect)
		return
	}
	if effect.Edited != nil {
		b.redefine(effect.Edited)
	}
	onward := j.committedVotes()
	moved := b.adopt(effect.Head, effect.State, merge(b.writeIns, len(j.known.WriteIns), effect.WriteIns))
	for i, m := range j.casts {
		outcome := effect.Outcomes[i]
		m.answer(castOutcome{ballot: b.ballot, outcome: outcome}, outcome.Err)
	}
	for _, m := range j.changes {
		m.answer(b.snapshot(), effect.Refused)
	}
	if moved {
		if b.viewers > 0 && len(j.casts) > 0 {
			ctx.Send(b.audience, &arrived{votes: b.system.meters.arrivals(j, effect), committed: b.lastActive})
		}
		b.publish(ctx, onward...)
		if b.viewers > 0 || !b.system.alone() {
			ctx.Send(b.system.relay, &announce{notice: oponn.Notice{Ballot: b.id, Head: effect.Head}, vote: j.vote()})
		}
	} else {
		b.armDue(ctx) // our clock was early
	}
}

// redefine takes over a definition that was changed here, and prepares anew the
// votes that gathered for the one before.
func (b *ballot) redefine(d *oponn.Definition) {
	changed := *b.ballot
	changed.Definition = *d
	b.ballot = &changed
	b.gathering = slices.DeleteFunc(b.gathering, func(m *castVote) bool { return !b.prepare(m) })
}

// buried answers those who waited for the batch that deleted the ballot.
func (b *ballot) buried(ctx actor.Context, j *job, effect oponn.Effect) {
	for i, m := range j.casts {
		m.refuse(effect.Outcomes[i].Err)
	}
	for _, m := range j.changes {
		m.answer(b.snapshot(), nil)
	}
	b.gone(ctx, oponn.Errorf(oponn.CodeGone, "This ballot was deleted."), true)
}

// gone ends a ballot that the store has no more. Whoever deleted it tells.
func (b *ballot) gone(ctx actor.Context, refusal error, tell bool) {
	if tell {
		ctx.Send(b.system.relay, &announce{notice: oponn.Notice{Ballot: b.id, Gone: true}})
	}
	b.end(ctx, refusal, oponn.EndGone)
}

// answerStranger ends a batch of an earlier instance of this actor, whose
// votes are committed while this one has not even loaded: their voters ask
// again and get their receipts. That a ballot is deleted is certain, also when
// it was found out before the writer said so.
func (b *ballot) answerStranger(ctx actor.Context, j *job, effect oponn.Effect) {
	committed := effect.Head.Version
	if effect.Tombstone {
		committed = math.MaxUint64
		ctx.Send(b.system.relay, &announce{notice: oponn.Notice{Ballot: b.id, Gone: true}})
		for _, m := range j.changes {
			m.answer(b.snapshot(), nil)
		}
	}
	j.refuse(errUnknown(nil))
	b.current = nil
	if b.refusal != nil {
		b.askForSleep(ctx)
		return
	}
	b.sought = max(b.sought, committed) // it may be older what the store is about to say
}

// failed deals with a batch that was not, or perhaps, committed.
func (b *ballot) failed(ctx actor.Context, j *job, err error) {
	code := oponn.CodeOf(err)
	if code == oponn.CodeOutcomeUnknown && !j.unknown {
		b.system.meters.votes.unknown.Add(1)
	}
	j.unknown = j.unknown || code == oponn.CodeOutcomeUnknown
	j.attempts++
	gone := code == oponn.CodeGone || code == oponn.CodeNotFound // that is known, whatever was not
	if j.unknown && !gone && time.Now().Before(j.deadline()) {
		pause := retryAfter << min(j.attempts-1, 5)
		self, root := ctx.Self(), b.system.root
		time.AfterFunc(pause, func() { root.Send(self, &resubmit{job: j}) })
		return
	}
	b.life.underway = nil
	b.system.meters.unresolved(j, gone)
	j.refuseFailed(err, gone)
	switch {
	case b.refusal != nil:
		b.askForSleep(ctx)
		return
	case gone:
		b.gone(ctx, storeError(err), j.deletes())
		return
	case errors.Is(err, oponn.ErrStale):
		b.refresh(ctx, nil)
	}
	if b.ballot != nil {
		b.retrySettling(ctx, j)
		b.submit(ctx)
	}
}

// refuseFailed tells those who wait that their batch was not, or perhaps,
// committed. A deletion that may have been is done when the ballot is gone.
func (j *job) refuseFailed(err error, gone bool) {
	switch {
	case j.unknown && gone && j.deletes():
		j.changes[0].answer(oponn.Snapshot{}, nil)
	case j.unknown && !gone:
		err = errUnknown(err)
	}
	j.refuse(storeError(err))
}

// retrySettling sees to it that a status still moves whose batch failed.
func (b *ballot) retrySettling(ctx actor.Context, j *job) {
	if !b.overdue() || len(j.casts)+len(j.changes) > 0 {
		return
	}
	b.dueTimer.arm(b.system.root, ctx.Self(), b.system.cfg.Freshness, func(g int) any { return &due{generation: g} })
}

func (b *ballot) resubmit(ctx actor.Context, j *job) {
	if b.life.underway == j {
		b.system.meters.writer.waiting.Add(int64(len(j.casts)))
		ctx.Send(b.system.writer(b.id), &appendBatch{job: j})
	}
}

// merge returns the known write-ins with those that a batch brought, which
// follow the first `from` of them.
func merge(known []oponn.WriteIn, from int, brought []oponn.WriteIn) []oponn.WriteIn {
	if from+len(brought) <= len(known) {
		return known
	}
	return append(slices.Clone(known[:from]), brought...)
}

// receipt turns a vote's fate into what its voter gets.
func (o castOutcome) receipt() oponn.Receipt {
	return o.ballot.Receipt(o.outcome.Logged, o.outcome.Repeat)
}
