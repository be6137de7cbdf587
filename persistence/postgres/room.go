package postgres

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// JoinCode returns the code that a ballot has.
func (s *Store) JoinCode(ctx context.Context, ballot oponn.BallotID) (code oponn.JoinCode, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		code = ""
		return c.run(ctx, step{selectJoinCode, [][]byte{uuid(ballot)}, func(row row) { code = oponn.JoinCode(row.text(0)) }})
	})
	return code, err
}

// ClaimJoinCode gives a ballot a code. The lock on the head keeps two instances
// from giving it two.
func (s *Store) ClaimJoinCode(ctx context.Context, ballot oponn.BallotID, candidates []oponn.JoinCode) (code oponn.JoinCode, err error) {
	err = s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		there := false
		code = ""
		note := func(row row) { code = oponn.JoinCode(row.text(0)) }
		err := c.run(ctx,
			step{begin, nil, nil},
			step{lockHeads, [][]byte{uuids([]oponn.BallotID{ballot})}, func(row) { there = true }},
			step{reviveJoinCode, [][]byte{uuid(ballot)}, note})
		if err == nil && !there {
			err = c.missing(ctx, ballot)
		}
		for i := 0; err == nil && code == "" && i < len(candidates); i++ {
			err = c.run(ctx, step{claimJoinCode, [][]byte{[]byte(candidates[i]), uuid(ballot)}, note})
		}
		if err == nil && code == "" {
			err = oponn.JoinCodesTaken()
		}
		return nil, err
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// Joined returns the ballot that has a code.
func (s *Store) Joined(ctx context.Context, code oponn.JoinCode) (ballot oponn.BallotID, err error) {
	found := false
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		found = false
		return c.run(ctx, step{selectJoined, [][]byte{[]byte(code)}, func(row row) { ballot, found = row.ballot(), true }})
	})
	if err == nil && !found {
		err = oponn.NoJoinCode()
	}
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
	conn, err := connectOnce(ctx, s.url, scanning, s.options)
	if err != nil {
		return nil, translate(ctx, err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // nothing is left to be done there
	c := &connection{conn.PgConn()}
	err = c.run(ctx, step{selectPace, [][]byte{uuid(ballot), instant(span.From), bigint(int64(span.Slot / time.Second))},
		func(row row) {
			slots = append(slots, oponn.Slot{Number: int(row.bigint(0)), Voters: row.unsigned(1)})
		}})
	return slots, translate(ctx, err)
}
