package actors

import (
	"context"
	"errors"

	"github.com/oponn/oponn"
)

// Owned returns a part of the list of an owner's ballots, at most limit of
// them; no more are opened. Those that can't be opened are left out. An edge
// that is missing is CodeNotFound or CodeGone.
func (s *System) Owned(ctx context.Context, owner oponn.OwnerID, edge oponn.Edge, limit int) (oponn.OwnedPage, error) {
	if owner == (oponn.OwnerID{}) {
		return oponn.OwnedPage{}, nil
	}
	records, err := s.cfg.Store.Owned(ctx, owner.Hash(), edge, limit+1)
	if err != nil {
		return oponn.OwnedPage{}, storeError(err)
	}
	page, records := oponn.NewOwnedPage(records, edge, limit)
	for _, record := range records {
		snapshot, err := s.opened(ctx, record)
		if err != nil {
			if oponn.CodeOf(err) == oponn.CodeKeysUnavailable && !errors.Is(err, oponn.ErrKeyDenied) {
				return oponn.OwnedPage{}, err
			}
			s.cfg.Logger.ErrorContext(ctx, "ballot not opened", "ballot", record.Ballot.String(), "error", err)
			continue
		}
		page.Ballots = append(page.Ballots, snapshot)
	}
	return page, nil
}

// opened returns a record, opened, as it stands.
func (s *System) opened(ctx context.Context, record oponn.Record) (oponn.Snapshot, error) {
	ballot, state, writeIns, err := s.unseal(ctx, record)
	return oponn.Snapshot{Ballot: ballot, Version: record.Head.Version, State: state, WriteIns: writeIns, ExpiresAt: record.Head.ExpiresAt}, err
}

// Export begins an export of a ballot's votes as they stand now. Who asks was
// checked before. It reads the log once; Export.Each reads it again, from the
// store and past the ballot's actor.
func (s *System) Export(ctx context.Context, ballot oponn.BallotID) (*oponn.Export, error) {
	record, err := s.cfg.Store.Load(ctx, ballot) // not what the actor knows, which may lack the label of a write-in yet
	if err != nil {
		return nil, storeError(err)
	}
	snapshot, err := s.opened(ctx, record)
	if err != nil {
		return nil, err
	}
	export, err := oponn.NewExport(ctx, snapshot, s.cfg.Store)
	if err != nil {
		return nil, storeError(err)
	}
	return export, nil
}
