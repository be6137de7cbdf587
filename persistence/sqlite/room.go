package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// JoinCode returns the code that a ballot has.
func (s *Store) JoinCode(ctx context.Context, ballot oponn.BallotID) (code oponn.JoinCode, err error) {
	err = s.read(ctx, func(c *connection) error {
		code, err = c.joinCode(selectJoinCode, ballot[:])
		return err
	})
	return code, err
}

// ClaimJoinCode gives a ballot a code.
func (s *Store) ClaimJoinCode(ctx context.Context, ballot oponn.BallotID, candidates []oponn.JoinCode) (code oponn.JoinCode, err error) {
	err = s.write(ctx, transaction{do: func(c *connection) error {
		if _, _, err := c.head(ballot); err != nil {
			return err
		}
		if code, err = c.joinCode(reviveJoinCode, ballot[:]); code != "" || err != nil {
			return err
		}
		rested := now().Add(-oponn.JoinCodeRest).UnixMicro()
		for _, candidate := range candidates {
			if code, err = c.joinCode(claimJoinCode, string(candidate), ballot[:], rested); code != "" || err != nil {
				return err
			}
		}
		return oponn.JoinCodesTaken()
	}})
	if err != nil {
		return "", err
	}
	return code, nil
}

// joinCode returns the code that a query answers with; empty for none.
func (c *connection) joinCode(q query, args ...any) (code oponn.JoinCode, err error) {
	err = c.rows(q, func(row *sqlite3.Stmt) error {
		code = oponn.JoinCode(row.ColumnText(0))
		return nil
	}, args...)
	return code, err
}

// Joined returns the ballot that has a code.
func (s *Store) Joined(ctx context.Context, code oponn.JoinCode) (ballot oponn.BallotID, err error) {
	err = s.read(ctx, func(c *connection) error {
		ballots, err := c.ids(selectJoined, string(code))
		if err == nil && len(ballots) == 0 {
			err = oponn.NoJoinCode()
		}
		if err != nil {
			return err
		}
		ballot = ballots[0]
		return nil
	})
	return ballot, err
}

// Pace counts voters by when they first voted. Like Scan it has a connection
// of its own, for a long log takes its time.
func (s *Store) Pace(ctx context.Context, ballot oponn.BallotID, span oponn.Span) (slots []oponn.Slot, err error) {
	done, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := connect(s.path, readable)
	if err != nil {
		return nil, translate(ctx, err)
	}
	defer func() {
		if again := c.Close(); err == nil && again != nil {
			err = oponn.Internal(again)
		}
	}()
	err = c.snapshot(ctx, func(c *connection) error {
		return c.rows(selectPace, func(row *sqlite3.Stmt) error {
			slots = append(slots, oponn.Slot{Number: row.ColumnInt(0), Voters: unsigned(row, 1)})
			return nil
		}, span.From.UnixMicro(), int64(span.Slot/time.Microsecond), ballot[:])
	})
	return slots, err
}
