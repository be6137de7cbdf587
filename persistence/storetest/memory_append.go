package storetest

import (
	"context"
	"errors"

	"github.com/oponn/oponn"
)

// Append applies the batches in one transaction.
func (m *Memory) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	m.count(batches)
	done := make([]oponn.Appended, len(batches))
	if err := m.append(ctx, batches, done); err != nil {
		for i := range done {
			if done[i].Err == nil {
				done[i] = oponn.Appended{Err: err}
			}
		}
	}
	return done
}

func (m *Memory) count(batches []oponn.Batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counted.Appends++
	m.counted.Batches += len(batches)
	for _, batch := range batches {
		m.counted.Votes += len(batch.Votes)
	}
}

// append fills in done; the error is that of the transaction.
func (m *Memory) append(ctx context.Context, batches []oponn.Batch, done []oponn.Appended) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := m.delay(ctx); err != nil {
		return err
	}
	select {
	case m.disk.writing <- struct{}{}:
		defer func() { <-m.disk.writing }()
	case <-ctx.Done():
		return notDone(ctx.Err())
	}
	grounds := make([]oponn.Ground, len(batches))
	seen := make(map[oponn.BallotID]bool, len(batches))
	for i, batch := range batches {
		if seen[batch.Ballot] {
			done[i].Err = oponn.Internal(errors.New("storetest: two batches for one ballot in one Append"))
			continue
		}
		seen[batch.Ballot] = true
		grounds[i], done[i] = m.apply(batch)
	}
	if err := ctx.Err(); err != nil {
		return notDone(err)
	}
	return m.commit(grounds, done)
}

// apply runs one batch's Apply on what the disk holds.
func (m *Memory) apply(batch oponn.Batch) (oponn.Ground, oponn.Appended) {
	ground, err := m.disk.ground(batch)
	if err != nil {
		return ground, oponn.Appended{Err: err}
	}
	done := batch.Decide(ground)
	if done.Err == nil {
		if err := m.disk.unique(batch.Ballot, done.Effect); err != nil {
			done = oponn.Appended{Err: err}
		}
	}
	return ground, done
}

func (m *Memory) commit(grounds []oponn.Ground, done []oponn.Appended) error {
	lost, committed := m.loses()
	if !lost || committed {
		for i, d := range done {
			if d.Err == nil {
				m.disk.keep(grounds[i], d.Effect)
			}
		}
	}
	if lost {
		return oponn.Retryable(oponn.CodeOutcomeUnknown, retryLost, errors.New("storetest: the answer to COMMIT was lost"),
			"It is not known whether this was kept. Please send it again.")
	}
	return nil
}
