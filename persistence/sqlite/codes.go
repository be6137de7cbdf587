package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// AddCodes keeps the tags of codes.
func (s *Store) AddCodes(ctx context.Context, ballot oponn.BallotID, tags []oponn.VoterTag) error {
	return s.write(ctx, transaction{do: func(c *connection) error {
		if _, _, err := c.head(ballot); err != nil {
			return err
		}
		for _, tag := range tags {
			if err := c.exec(insertCode, ballot[:], tag[:]); err != nil {
				return err
			}
		}
		count, err := c.countCodes(ballot)
		if err == nil && count > oponn.MaxCodes {
			err = oponn.TooManyCodes()
		}
		return err
	}})
}

func (c *connection) countCodes(ballot oponn.BallotID) (count int, err error) {
	err = c.rows(countCodes, func(row *sqlite3.Stmt) error {
		count = row.ColumnInt(0)
		return nil
	}, ballot[:])
	return count, err
}

// CountCodes returns how many codes a ballot has.
func (s *Store) CountCodes(ctx context.Context, ballot oponn.BallotID) (count int, err error) {
	err = s.read(ctx, func(c *connection) error {
		if _, _, err := c.head(ballot); err != nil {
			return err
		}
		count, err = c.countCodes(ballot)
		return err
	})
	return count, err
}

// Codes returns the tags of a ballot's codes.
func (s *Store) Codes(ctx context.Context, ballot oponn.BallotID) (tags []oponn.VoterTag, err error) {
	err = s.read(ctx, func(c *connection) error {
		if _, _, err := c.head(ballot); err != nil {
			return err
		}
		tags = nil
		return c.rows(selectTags, func(row *sqlite3.Stmt) error {
			tags = append(tags, oponn.VoterTag(row.ColumnRawBlob(0)))
			return nil
		}, ballot[:])
	})
	return tags, err
}

// areCodes says of each vote of a batch whether its tag is a code's.
func (c *connection) areCodes(batch oponn.Batch) ([]bool, error) {
	codes := make([]bool, len(batch.Votes))
	for i, vote := range batch.Votes {
		err := c.rows(selectCode, func(*sqlite3.Stmt) error {
			codes[i] = true
			return nil
		}, batch.Ballot[:], vote.Tag[:])
		if err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// Expired returns ballots whose retention has ended. Those of a release that
// knew of none are kept for oponn.DefaultRetention after their last change.
func (s *Store) Expired(ctx context.Context, limit int) (ids []oponn.BallotID, err error) {
	err = s.read(ctx, func(c *connection) error {
		ids, err = c.ids(selectExpired, (oponn.DefaultRetention * 24 * time.Hour).Microseconds(), now().UnixMicro(), limit)
		return err
	})
	return ids, err
}
