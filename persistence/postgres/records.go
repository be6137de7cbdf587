package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/oponn/oponn"
)

// Create keeps a new ballot. That no tombstone has its id is read after the
// ballot was inserted: that waits for whoever deletes one with the same id.
func (s *Store) Create(ctx context.Context, record oponn.Record) (at time.Time, err error) {
	head := record.Head
	if head.Ballot != record.Ballot || head.Version != 1 || head.Position != 0 || head.Voters != 0 || head.WriteIns != 0 || len(record.WriteIns) > 0 {
		return time.Time{}, oponn.Internal(errors.New("a new ballot must have a first head"))
	}
	ballot := uuid(record.Ballot)
	var owner []byte
	if record.Owner != [32]byte{} {
		owner = record.Owner[:]
	}
	err = s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		buried := false
		err := c.run(ctx,
			step{begin, nil, nil},
			step{insertBallot, [][]byte{ballot, owner, record.OwnerKey[:], []byte(record.Key.KEK), blob(record.Key.Blob),
				blob(record.Key.Commitment), blob(record.Definition)}, func(row row) { at = row.instant(0) }},
			step{selectTombstones, [][]byte{uuids([]oponn.BallotID{record.Ballot})}, func(row) { buried = true }})
		if err == nil && buried {
			err = oponn.Internal(fmt.Errorf("the id %s is taken by a tombstone", record.Ballot))
		}
		return []step{{insertHead, [][]byte{ballot, bigint(signed(head.Version)), bigint(signed(head.Position)), bigint(signed(head.Voters)),
			integer(head.WriteIns), blob(head.Sealed), instant(at), instantOrNil(head.ExpiresAt)}, nil}}, err
	})
	return at, err
}

// Load returns a ballot's record.
func (s *Store) Load(ctx context.Context, ballot oponn.BallotID) (record oponn.Record, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		record, err = c.record(ctx, ballot)
		return err
	})
	return record, err
}

// record reads all that is kept of a ballot but its log.
func (c *connection) record(ctx context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	var records []oponn.Record
	err := c.run(ctx, step{selectRecord, [][]byte{uuid(ballot)}, func(row row) { records = append(records, row.record()) }})
	if err != nil {
		return oponn.Record{}, err
	}
	if records, err = c.withWriteIns(ctx, records); err != nil {
		return oponn.Record{}, err
	}
	if len(records) == 0 {
		return oponn.Record{}, c.missing(ctx, ballot)
	}
	return records[0], nil
}

// missing returns why there is no such ballot.
func (c *connection) missing(ctx context.Context, ballot oponn.BallotID) error {
	why, err := c.whyMissing(ctx, []oponn.BallotID{ballot})
	if err != nil {
		return err
	}
	return why[ballot]
}

// withWriteIns reads the write-ins of records. It comes later than the heads,
// and yet sees the same: write-ins are numbered and never change, so those up
// to the head's number are the head's. Only a ballot that was deleted in
// between has none any more; it is left out.
func (c *connection) withWriteIns(ctx context.Context, records []oponn.Record) ([]oponn.Record, error) {
	index := map[oponn.BallotID]int{}
	var ballots []oponn.BallotID
	for i, record := range records {
		if record.Head.WriteIns > 0 {
			index[record.Ballot], ballots = i, append(ballots, record.Ballot)
		}
	}
	if len(ballots) == 0 {
		return records, nil
	}
	err := c.run(ctx, step{selectWriteIns, [][]byte{uuids(ballots)}, func(row row) {
		record := &records[index[row.ballot()]]
		if w := row[1:].writeIn(); w.Number <= record.Head.WriteIns {
			record.WriteIns = append(record.WriteIns, w)
		}
	}})
	whole := records[:0]
	for _, record := range records {
		if len(record.WriteIns) == record.Head.WriteIns {
			whole = append(whole, record)
		}
	}
	return whole, err
}

// Heads returns the heads of the ballots that exist.
func (s *Store) Heads(ctx context.Context, ballots []oponn.BallotID) (heads []oponn.Head, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		heads = nil
		return c.run(ctx, step{selectHeads, [][]byte{uuids(ballots)}, func(row row) { heads = append(heads, row.head()) }})
	})
	return heads, err
}

// Votes returns what a voter has in the log of a ballot.
func (s *Store) Votes(ctx context.Context, ballot oponn.BallotID, tag oponn.VoterTag) (votes []oponn.LoggedVote, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		votes = nil
		return c.run(ctx, step{selectVotes, [][]byte{uuid(ballot), uuid(tag)}, func(row row) { votes = append(votes, row.vote()) }})
	})
	return votes, err
}

// VotesByTag returns the next rows of a ballot's log in the order of its key.
func (s *Store) VotesByTag(ctx context.Context, ballot oponn.BallotID, after oponn.VoterTag, revision uint32) (votes []oponn.LoggedVote, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		votes = make([]oponn.LoggedVote, 0, oponn.VotesPage)
		return c.run(ctx, step{selectByTag, [][]byte{uuid(ballot), uuid(after), integer(int(revision))},
			func(row row) { votes = append(votes, row.vote()) }})
	})
	return votes, err
}

// Owned returns an owner's ballots, newest first. An edge that is missing is
// CodeNotFound or CodeGone.
func (s *Store) Owned(ctx context.Context, owner [32]byte, edge oponn.Edge, limit int) (records []oponn.Record, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		records = nil
		at, err := c.created(ctx, edge.Ballot)
		if err != nil {
			return err
		}
		list := selectOwned
		if edge.Newer {
			list = selectOwnedAfter
		}
		err = c.run(ctx, step{list, [][]byte{owner[:], at, uuid(edge.Ballot), bigint(int64(limit))},
			func(row row) { records = append(records, row.record()) }})
		if err != nil {
			return err
		}
		if edge.Newer {
			slices.Reverse(records)
		}
		records, err = c.withWriteIns(ctx, records)
		return err
	})
	return records, err
}

// created returns when a ballot was created, as a parameter; infinity for the
// zero id.
func (c *connection) created(ctx context.Context, ballot oponn.BallotID) (at []byte, err error) {
	if ballot == (oponn.BallotID{}) {
		return bigint(math.MaxInt64), nil
	}
	err = c.run(ctx, step{selectCreated, [][]byte{uuid(ballot)}, func(row row) { at = row.blob(0) }})
	if err == nil && at == nil {
		err = c.missing(ctx, ballot)
	}
	return at, err
}

// Ballots returns the ids of ballots in their order.
func (s *Store) Ballots(ctx context.Context, after oponn.BallotID, limit int) (ids []oponn.BallotID, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		ids = nil
		return c.run(ctx, step{selectBallots, [][]byte{uuid(after), bigint(int64(limit))}, func(row row) { ids = append(ids, row.ballot()) }})
	})
	return ids, err
}
