package storetest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oponn/oponn"
)

// AddCodes keeps the tags of codes.
func (m *Memory) AddCodes(ctx context.Context, ballot oponn.BallotID, tags []oponn.VoterTag) error {
	done, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	k, err := m.disk.find(ballot)
	if err != nil {
		return err
	}
	codes := maps.Clone(k.codes)
	for _, tag := range tags {
		codes[tag] = true
	}
	if len(codes) > oponn.MaxCodes {
		return oponn.TooManyCodes()
	}
	k.codes = codes
	return nil
}

// CountCodes returns how many codes a ballot has.
func (m *Memory) CountCodes(ctx context.Context, ballot oponn.BallotID) (int, error) {
	tags, err := m.Codes(ctx, ballot)
	return len(tags), err
}

// Codes returns the tags of a ballot's codes.
func (m *Memory) Codes(ctx context.Context, ballot oponn.BallotID) ([]oponn.VoterTag, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	k, err := m.disk.find(ballot)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(k.codes)), nil
}

// Expired returns ballots whose retention has ended.
func (m *Memory) Expired(ctx context.Context, limit int) ([]oponn.BallotID, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	var ids []oponn.BallotID
	for id, k := range m.disk.ballots {
		expires := k.record.Head.ExpiresAt
		if expires.IsZero() {
			expires = k.at.Add(oponn.DefaultRetention * 24 * time.Hour)
		}
		if !now().Before(expires) && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
