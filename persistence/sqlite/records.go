package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// Create keeps a new ballot.
func (s *Store) Create(ctx context.Context, record oponn.Record) (time.Time, error) {
	head := record.Head
	if head.Ballot != record.Ballot || head.Version != 1 || head.Position != 0 || head.Voters != 0 || head.WriteIns != 0 || len(record.WriteIns) > 0 {
		return time.Time{}, oponn.Internal(errors.New("a new ballot must have a first head"))
	}
	var at time.Time
	err := s.write(ctx, transaction{do: func(c *connection) error {
		at = now()
		switch err := c.missing(record.Ballot); oponn.CodeOf(err) {
		case oponn.CodeNotFound:
		case oponn.CodeGone:
			return oponn.Internal(fmt.Errorf("the id is taken by a tombstone: %w", err))
		default:
			return err
		}
		var owner any
		if record.Owner != [32]byte{} {
			owner = record.Owner[:]
		}
		err := c.exec(insertBallot, record.Ballot[:], at.UnixMicro(), owner, record.OwnerKey[:],
			record.Key.KEK, record.Key.Blob, record.Key.Commitment, record.Definition)
		if err != nil {
			return err
		}
		return c.insertHead(head, at)
	}})
	return at, err
}

// Load returns a ballot's record.
func (s *Store) Load(ctx context.Context, ballot oponn.BallotID) (record oponn.Record, err error) {
	err = s.read(ctx, func(c *connection) error {
		record, err = c.record(ballot)
		return err
	})
	return record, err
}

// record reads all that is kept of a ballot but its log.
func (c *connection) record(ballot oponn.BallotID) (oponn.Record, error) {
	head, _, err := c.head(ballot)
	if err != nil {
		return oponn.Record{}, err
	}
	record := oponn.Record{Ballot: ballot, Head: head}
	err = c.rows(selectBallot, func(row *sqlite3.Stmt) error {
		record.CreatedAt = instant(row, 0)
		copy(record.Owner[:], row.ColumnRawBlob(1)) // null leaves zeros
		copy(record.OwnerKey[:], row.ColumnRawBlob(2))
		record.Key = oponn.WrappedKey{KEK: row.ColumnText(3), Blob: row.ColumnBlob(4, nil), Commitment: row.ColumnBlob(5, nil)}
		record.Definition = row.ColumnBlob(6, nil)
		return nil
	}, ballot[:])
	if err != nil {
		return oponn.Record{}, err
	}
	record.WriteIns, err = c.writeIns(ballot, 0)
	return record, err
}

// Heads returns the heads of the ballots that exist. They are looked up one by
// one, in one snapshot: within a process a look-up costs no round trip.
func (s *Store) Heads(ctx context.Context, ballots []oponn.BallotID) (heads []oponn.Head, err error) {
	ballots = slices.Clone(ballots)
	slices.SortFunc(ballots, oponn.BallotID.Compare)
	err = s.read(ctx, func(c *connection) error {
		for _, ballot := range slices.Compact(ballots) {
			head, _, err := c.head(ballot)
			switch oponn.CodeOf(err) {
			case "":
				heads = append(heads, head)
			case oponn.CodeNotFound, oponn.CodeGone:
			default:
				return err
			}
		}
		return nil
	})
	return heads, err
}

// Votes returns what a voter has in the log of a ballot.
func (s *Store) Votes(ctx context.Context, ballot oponn.BallotID, tag oponn.VoterTag) (votes []oponn.LoggedVote, err error) {
	err = s.read(ctx, func(c *connection) error {
		votes, err = c.votes(ballot, tag)
		return err
	})
	return votes, err
}

// VotesByTag returns the next rows of a ballot's log in the order of its key.
func (s *Store) VotesByTag(ctx context.Context, ballot oponn.BallotID, after oponn.VoterTag, revision uint32) (votes []oponn.LoggedVote, err error) {
	err = s.read(ctx, func(c *connection) error {
		return c.rows(selectByTag, func(row *sqlite3.Stmt) error {
			votes = append(votes, loggedVote(row))
			return nil
		}, ballot[:], after[:], int64(revision), oponn.VotesPage)
	})
	return votes, err
}

// Owned returns an owner's ballots, newest first. An edge that is missing is
// CodeNotFound or CodeGone.
func (s *Store) Owned(ctx context.Context, owner [32]byte, edge oponn.Edge, limit int) (records []oponn.Record, err error) {
	err = s.read(ctx, func(c *connection) error {
		at, err := c.created(edge.Ballot)
		if err != nil {
			return err
		}
		list := selectOwned
		if edge.Newer {
			list = selectOwnedAfter
		}
		ids, err := c.ids(list, owner[:], at, edge.Ballot[:], limit)
		if err != nil {
			return err
		}
		if edge.Newer {
			slices.Reverse(ids)
		}
		for _, id := range ids {
			record, err := c.record(id)
			if err != nil {
				return err
			}
			records = append(records, record)
		}
		return nil
	})
	return records, err
}

// created returns when a ballot was created, in microseconds; the end of time
// for the zero id.
func (c *connection) created(ballot oponn.BallotID) (at int64, err error) {
	if ballot == (oponn.BallotID{}) {
		return 1<<63 - 1, nil
	}
	found := false
	err = c.rows(selectCreated, func(row *sqlite3.Stmt) error {
		at, found = row.ColumnInt64(0), true
		return nil
	}, ballot[:])
	if err == nil && !found {
		err = c.missing(ballot)
	}
	return at, err
}

// Ballots returns the ids of ballots in their order.
func (s *Store) Ballots(ctx context.Context, after oponn.BallotID, limit int) (ids []oponn.BallotID, err error) {
	err = s.read(ctx, func(c *connection) error {
		ids, err = c.ids(selectBallots, after[:], limit)
		return err
	})
	return ids, err
}
