package postgres

import (
	"context"

	"github.com/oponn/oponn"
)

// Rewrap replaces a ballot's wrapped key, unless another one is there by now.
func (s *Store) Rewrap(ctx context.Context, ballot oponn.BallotID, from, to oponn.WrappedKey) error {
	return s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		moved := false
		err := c.run(ctx,
			step{begin, nil, nil},
			step{updateKey, [][]byte{uuid(ballot), []byte(to.KEK), blob(to.Blob), blob(to.Commitment),
				[]byte(from.KEK), blob(from.Blob), blob(from.Commitment)}, func(row) { moved = true }})
		if err != nil || moved {
			return nil, err
		}
		record, err := c.record(ctx, ballot)
		if err == nil && !record.Key.Equal(to) {
			err = oponn.Retryable(oponn.CodeBusy, 0, nil, "The ballot's key was wrapped anew meanwhile.")
		}
		return nil, err
	})
}
