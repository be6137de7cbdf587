package storetest

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// joining is where a join code leads, and since when no more.
type joining struct {
	ballot   oponn.BallotID
	released time.Time
}

// release takes the code of a ballot away. The caller holds mu.
func (d *disk) release(ballot oponn.BallotID, at time.Time) {
	for _, j := range d.joins {
		if j.ballot == ballot && j.released.IsZero() {
			j.released = at
		}
	}
}

// JoinCode returns the code that a ballot has.
func (m *Memory) JoinCode(ctx context.Context, ballot oponn.BallotID) (oponn.JoinCode, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	for code, j := range m.disk.joins {
		if j.ballot == ballot && j.released.IsZero() {
			return code, nil
		}
	}
	return "", nil
}

// ClaimJoinCode gives a ballot a code.
func (m *Memory) ClaimJoinCode(ctx context.Context, ballot oponn.BallotID, candidates []oponn.JoinCode) (oponn.JoinCode, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if _, err := m.disk.find(ballot); err != nil {
		return "", err
	}
	for code, j := range m.disk.joins {
		if j.ballot == ballot {
			j.released = time.Time{}
			return code, nil
		}
	}
	for _, code := range candidates {
		j := m.disk.joins[code]
		if j == nil || !j.released.IsZero() && now().Sub(j.released) >= oponn.JoinCodeRest {
			m.disk.joins[code] = &joining{ballot: ballot}
			return code, nil
		}
	}
	return "", oponn.JoinCodesTaken()
}

// Joined returns the ballot that has a code.
func (m *Memory) Joined(ctx context.Context, code oponn.JoinCode) (oponn.BallotID, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return oponn.BallotID{}, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	if j := m.disk.joins[code]; j != nil && j.released.IsZero() {
		return j.ballot, nil
	}
	return oponn.BallotID{}, oponn.NoJoinCode()
}

// Pace counts voters by when they first voted.
func (m *Memory) Pace(ctx context.Context, ballot oponn.BallotID, span oponn.Span) ([]oponn.Slot, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	counts := make(map[int]uint64)
	if k := m.disk.ballots[ballot]; k != nil {
		for _, vote := range k.log {
			if vote.Revision == 1 {
				counts[max(int(vote.At.Sub(span.From)/span.Slot), 0)]++
			}
		}
	}
	var slots []oponn.Slot
	for number, voters := range counts {
		slots = append(slots, oponn.Slot{Number: number, Voters: voters})
	}
	return slots, nil
}
