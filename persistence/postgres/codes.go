package postgres

import (
	"context"

	"github.com/oponn/oponn"
)

// AddCodes keeps the tags of codes. The lock on the head keeps the ballot from
// being deleted meanwhile.
func (s *Store) AddCodes(ctx context.Context, ballot oponn.BallotID, tags []oponn.VoterTag) error {
	return s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		there, count := false, int64(0)
		err := c.run(ctx,
			step{begin, nil, nil},
			step{lockHeads, [][]byte{uuids([]oponn.BallotID{ballot})}, func(row) { there = true }},
			step{insertCodes, [][]byte{uuid(ballot), uuids(tags)}, nil},
			step{countCodes, [][]byte{uuid(ballot)}, func(row row) { count = row.bigint(0) }})
		switch {
		case err != nil:
			return nil, err
		case !there:
			return nil, c.missing(ctx, ballot)
		case count > oponn.MaxCodes:
			return nil, oponn.TooManyCodes()
		}
		return nil, nil
	})
}

// CountCodes returns how many codes a ballot has.
func (s *Store) CountCodes(ctx context.Context, ballot oponn.BallotID) (count int, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		return c.codes(ctx, countCodes, ballot, func(row row) { count = int(row.bigint(0)) })
	})
	return count, err
}

// Codes returns the tags of a ballot's codes.
func (s *Store) Codes(ctx context.Context, ballot oponn.BallotID) (tags []oponn.VoterTag, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		tags = nil
		return c.codes(ctx, selectTags, ballot, func(row row) { tags = append(tags, oponn.VoterTag(row[0])) })
	})
	return tags, err
}

// codes reads a ballot's codes, and its head after them: as long as that is
// there, nobody sweeps codes away.
func (c *connection) codes(ctx context.Context, q query, ballot oponn.BallotID, note func(row)) error {
	there := false
	err := c.run(ctx,
		step{q, [][]byte{uuid(ballot)}, note},
		step{selectHeads, [][]byte{uuids([]oponn.BallotID{ballot})}, func(row) { there = true }})
	if err == nil && !there {
		err = c.missing(ctx, ballot)
	}
	return err
}

// Expired returns ballots whose retention has ended.
func (s *Store) Expired(ctx context.Context, limit int) (ids []oponn.BallotID, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		ids = nil
		return c.run(ctx, step{selectExpired, [][]byte{bigint(int64(limit))}, func(row row) { ids = append(ids, row.ballot()) }})
	})
	return ids, err
}
