package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oponn/oponn"
)

// Create keeps a new ballot.
func (m *Memory) Create(ctx context.Context, record oponn.Record) (time.Time, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer done()
	head := record.Head
	if head.Ballot != record.Ballot || head.Version != 1 || head.Position != 0 || head.Voters != 0 || head.WriteIns != 0 || len(record.WriteIns) > 0 {
		return time.Time{}, oponn.Internal(errors.New("storetest: a new ballot must have a first head"))
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if _, err := m.disk.find(record.Ballot); oponn.CodeOf(err) != oponn.CodeNotFound {
		return time.Time{}, oponn.Internal(errors.New("storetest: the id is taken"))
	}
	k := &kept{record: copyRecord(record), at: now(), voters: make(map[oponn.VoterTag][]int), codes: make(map[oponn.VoterTag]bool)}
	k.record.CreatedAt = k.at
	m.disk.ballots[record.Ballot] = k
	return k.at, nil
}

// Load returns a ballot's record.
func (m *Memory) Load(ctx context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return oponn.Record{}, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	k, err := m.disk.find(ballot)
	if err != nil {
		return oponn.Record{}, err
	}
	return copyRecord(k.record), nil
}

// Heads returns the heads of the ballots that exist.
func (m *Memory) Heads(ctx context.Context, ballots []oponn.BallotID) ([]oponn.Head, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	ballots = slices.Clone(ballots)
	slices.SortFunc(ballots, oponn.BallotID.Compare)
	var heads []oponn.Head
	for _, id := range slices.Compact(ballots) {
		if k := m.disk.ballots[id]; k != nil {
			heads = append(heads, copyHead(k.record.Head))
		}
	}
	return heads, nil
}

// Votes returns what a voter has in the log.
func (m *Memory) Votes(ctx context.Context, ballot oponn.BallotID, tag oponn.VoterTag) ([]oponn.LoggedVote, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	if k := m.disk.ballots[ballot]; k != nil {
		return k.votes(tag), nil
	}
	return nil, nil
}

// VotesByTag returns the next rows of the log by tag and revision.
func (m *Memory) VotesByTag(ctx context.Context, ballot oponn.BallotID, after oponn.VoterTag, revision uint32) ([]oponn.LoggedVote, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	k := m.disk.ballots[ballot]
	if k == nil {
		return nil, nil
	}
	var votes []oponn.LoggedVote
	edge := oponn.LoggedVote{Tag: after, Revision: revision}
	for _, v := range k.log {
		if byTag(v, edge) > 0 {
			votes = append(votes, copyVote(v))
		}
	}
	slices.SortFunc(votes, byTag)
	return votes[:min(oponn.VotesPage, len(votes))], nil
}

// byTag orders rows by tag and revision.
func byTag(a, b oponn.LoggedVote) int {
	return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.Revision, b.Revision))
}

// Owned returns an owner's ballots, newest first.
func (m *Memory) Owned(ctx context.Context, owner [32]byte, edge oponn.Edge, limit int) ([]oponn.Record, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	wanted := func(*kept) bool { return !edge.Newer }
	if edge.Ballot != (oponn.BallotID{}) {
		k, err := m.disk.find(edge.Ballot)
		if err != nil {
			return nil, err
		}
		wanted = func(other *kept) bool { return k != other && (newerFirst(k, other) > 0) == edge.Newer }
	}
	var owned []*kept
	for _, k := range m.disk.ballots {
		if owner != [32]byte{} && k.record.Owner == owner && wanted(k) {
			owned = append(owned, k)
		}
	}
	slices.SortFunc(owned, newerFirst)
	if edge.Newer {
		owned = owned[max(0, len(owned)-limit):]
	}
	var records []oponn.Record
	for _, k := range owned[:min(limit, len(owned))] {
		records = append(records, copyRecord(k.record))
	}
	return records, nil
}

// newerFirst orders by time of creation; ids decide between equal times.
func newerFirst(a, b *kept) int {
	if c := b.record.CreatedAt.Compare(a.record.CreatedAt); c != 0 {
		return c
	}
	return bytes.Compare(b.record.Ballot[:], a.record.Ballot[:])
}

// Ballots returns ids in their order.
func (m *Memory) Ballots(ctx context.Context, after oponn.BallotID, limit int) ([]oponn.BallotID, error) {
	done, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m.disk.mu.RLock()
	defer m.disk.mu.RUnlock()
	var ids []oponn.BallotID
	for id := range m.disk.ballots {
		if id.Compare(after) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, oponn.BallotID.Compare)
	return ids[:min(limit, len(ids))], nil
}

// Scan reads a copy of the ballot and its log.
func (m *Memory) Scan(ctx context.Context, ballot oponn.BallotID, begin func(oponn.Record) error, vote func(oponn.LoggedVote) error) error {
	done, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	m.disk.mu.RLock()
	k, err := m.disk.find(ballot)
	if err != nil {
		m.disk.mu.RUnlock()
		return err
	}
	record, log := copyRecord(k.record), slices.Clone(k.log)
	m.disk.mu.RUnlock()
	if err := begin(record); err != nil {
		return err
	}
	for _, v := range log {
		if err := ctx.Err(); err != nil {
			return notDone(err)
		}
		if err := vote(copyVote(v)); err != nil {
			return err
		}
	}
	return nil
}
