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

// Expired returns ballots whose retention has ended.
func (s *Store) Expired(ctx context.Context, limit int) (ids []oponn.BallotID, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		ids = nil
		return c.run(ctx, step{selectExpired, [][]byte{bigint(int64(limit))}, func(row row) { ids = append(ids, row.ballot()) }})
	})
	return ids, err
}
