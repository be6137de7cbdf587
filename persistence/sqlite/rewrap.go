package sqlite

import (
	"context"

	"github.com/oponn/oponn"
)

// Rewrap replaces a ballot's wrapped key, unless another one is there by now.
func (s *Store) Rewrap(ctx context.Context, ballot oponn.BallotID, from, to oponn.WrappedKey) error {
	return s.write(ctx, transaction{do: func(c *connection) error {
		record, err := c.record(ballot)
		switch {
		case err != nil:
			return err
		case record.Key.Equal(to):
			return nil
		case !record.Key.Equal(from):
			return oponn.Retryable(oponn.CodeBusy, 0, nil, "The ballot's key was wrapped anew meanwhile.")
		}
		return c.exec(updateKey, to.KEK, to.Blob, to.Commitment, ballot[:])
	}})
}
