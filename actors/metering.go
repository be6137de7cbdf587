package actors

import (
	"time"

	"github.com/oponn/oponn"
)

// now returns the time, to whoever measures.
func (m *meters) now() time.Time {
	if !m.measures {
		return time.Time{}
	}
	return time.Now()
}

// walked counts subscribers who were shown a frame, of which some replaced
// another one.
func (m *meters) walked(subs, replaced int, begin time.Time) {
	if !m.measures || subs == 0 {
		return
	}
	m.shown.Add(uint64(subs))
	m.streams.replaced.Add(replaced)
	m.subscribers.handling.Observe(time.Since(begin).Seconds() / float64(subs))
}

// transacting measures a transaction that ends now.
func (w *writerMeters) transacting(batches []oponn.Batch, begin time.Time) {
	w.took.Observe(time.Since(begin).Seconds())
	votes := 0
	for _, batch := range batches {
		votes += len(batch.Votes)
		w.batch.Observe(float64(len(batch.Votes)))
	}
	w.transaction.Observe(float64(votes))
	w.ballots.Observe(float64(len(batches)))
}

// committed measures a batch that the writer has committed.
func (m *meters) committed(j *job, effect oponn.Effect, now time.Time) {
	m.screen.commit.Observe(now.Sub(j.taken).Seconds())
	if !j.unknown {
		return
	}
	found := foundSettled
	if len(effect.Outcomes) > 0 {
		found = foundNot
	}
	for _, outcome := range effect.Outcomes {
		if outcome.Repeat {
			found = foundCommitted
		}
	}
	m.votes.resolved[found].Add(1)
}

// unresolved counts a batch that is given up.
func (m *meters) unresolved(j *job, gone bool) {
	switch {
	case !j.unknown:
	case gone:
		m.votes.resolved[foundGone].Add(1)
	default:
		m.votes.resolved[foundNothing].Add(1)
	}
}

// arrivals returns when the votes came that an effect accepted.
func (m *meters) arrivals(j *job, effect oponn.Effect) []time.Duration {
	if !m.measures {
		return nil
	}
	came := make([]time.Duration, 0, len(j.casts))
	for i, vote := range j.casts {
		if o := effect.Outcomes[i]; o.Err == nil && !o.Repeat {
			came = append(came, vote.begun.Sub(m.screen.begun))
		}
	}
	return came
}

// vote returns when one of the job's votes came: the middle one, for the first
// has waited longest.
func (j *job) vote() time.Time {
	if len(j.casts) == 0 {
		return time.Time{}
	}
	return j.casts[len(j.casts)/2].begun
}

// round counts a round of publishing.
func (r *relayMeters) round(notices int, err error) {
	r.notices.Add(notices)
	if err != nil {
		r.failed.Add(1)
		return
	}
	r.published.Add(1)
}

// swept counts a query for watched ballots.
func (r *relayMeters) swept(ballots int, err error) {
	r.healed.Add(ballots)
	if err != nil {
		r.healFailed.Add(1)
		return
	}
	r.heals.Add(1)
}
