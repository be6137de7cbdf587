package actors

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// joinCandidates is how many codes are tried before there is none left.
const joinCandidates = 8

// Watching returns how many people watch a ballot on all instances: those of
// others as of some seconds ago, and only from the second call on.
func (s *System) Watching(ballot oponn.BallotID) int { return s.presence.watching(ballot, time.Now()) }

// JoinCode returns the code by which a ballot is found, and gives it one when
// it has none. It is empty for a ballot that wants none or isn't open.
func (s *System) JoinCode(ctx context.Context, b oponn.Snapshot) (oponn.JoinCode, error) {
	if !b.Ballot.Definition.JoinCode || b.State.Status != oponn.Open {
		return "", nil
	}
	code, err := s.cfg.Store.JoinCode(ctx, b.Ballot.ID)
	if err == nil && code == "" {
		code, err = s.cfg.Store.ClaimJoinCode(ctx, b.Ballot.ID, oponn.NewJoinCodes(joinCandidates))
	}
	if err != nil {
		return "", storeError(err)
	}
	return code, nil
}

// Join returns the open ballot that a code leads to; CodeNotFound for none.
func (s *System) Join(ctx context.Context, code oponn.JoinCode) (oponn.BallotID, error) {
	id, err := s.cfg.Store.Joined(ctx, code)
	if err != nil {
		return oponn.BallotID{}, storeError(err)
	}
	snapshot, err := s.Result(ctx, id, 0)
	switch oponn.CodeOf(err) {
	case "":
	case oponn.CodeGone, oponn.CodeNotFound:
		return oponn.BallotID{}, oponn.NoJoinCode()
	default:
		return oponn.BallotID{}, err
	}
	if snapshot.State.Status != oponn.Open {
		return oponn.BallotID{}, oponn.NoJoinCode()
	}
	return id, nil
}

// Pace returns how the votes of a ballot came in until now.
func (s *System) Pace(ctx context.Context, b oponn.Snapshot) (oponn.Pace, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	span := b.Span(now)
	slots, err := s.cfg.Store.Pace(ctx, b.Ballot.ID, span)
	if err != nil {
		return nil, storeError(err)
	}
	return oponn.NewPace(span, slots, b.State.Status == oponn.Closed), nil
}

// Beside returns the ballots of an owner that were created just before and just
// after the given one; zeros for none.
func (s *System) Beside(ctx context.Context, owner oponn.OwnerID, ballot oponn.BallotID) (before, after oponn.BallotID, err error) {
	for edge, found := range map[oponn.Edge]*oponn.BallotID{{Ballot: ballot}: &before, {Ballot: ballot, Newer: true}: &after} {
		records, err := s.cfg.Store.Owned(ctx, owner.Hash(), edge, 1)
		if err != nil {
			return oponn.BallotID{}, oponn.BallotID{}, storeError(err)
		}
		for _, record := range records {
			*found = record.Ballot
		}
	}
	return before, after, nil
}
