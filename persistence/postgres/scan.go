package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn"
)

// fetchLog reads the next rows of the cursor log.
const fetchLog = "fetch 2000 from log"

const fetched = 2000

// Scan reads a ballot's record and its log in one snapshot. It opens a
// connection of its own, so that scans and what their readers ask the store
// meanwhile never wait for each other. Postgres sorts the log, a large one on
// the disk, and hands it over in parts: a reader that takes longer than a
// minute over 2,000 votes loses the snapshot, because old ones keep vacuum
// from its work.
func (s *Store) Scan(ctx context.Context, ballot oponn.BallotID, begin func(oponn.Record) error, vote func(oponn.LoggedVote) error) error {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	conn, err := connectOnce(ctx, s.url, scanning, s.options)
	if err != nil {
		return translate(ctx, err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // nothing is left to be done there
	c := &connection{conn.PgConn()}
	if err := c.run(ctx, step{beginSnapshot, nil, nil}); err != nil {
		return translate(ctx, err)
	}
	record, err := c.record(ctx, ballot)
	if err != nil {
		return translate(ctx, err)
	}
	if err := begin(record); err != nil {
		return err
	}
	if err := c.run(ctx, step{declareLog, [][]byte{uuid(ballot)}, nil}); err != nil {
		return translate(ctx, err)
	}
	return c.scan(ctx, vote)
}

// scan reads the cursor log. What the reader says is returned as it is,
// whatever it is.
func (c *connection) scan(ctx context.Context, vote func(oponn.LoggedVote) error) error {
	part := make([]oponn.LoggedVote, 0, fetched)
	for first := true; first || len(part) == fetched; first = false {
		part = part[:0]
		reader := c.ExecParams(ctx, fetchLog, nil, nil, nil, binaryFormat)
		for reader.NextRow() {
			part = append(part, row(reader.Values()).vote())
		}
		if _, err := reader.Close(); err != nil {
			return translate(ctx, fmt.Errorf("%s: %w", fetchLog, err))
		}
		for _, v := range part {
			if err := ctx.Err(); err != nil {
				return unavailable(err)
			}
			if err := vote(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// connectOnce opens a connection outside of the pools.
func connectOnce(ctx context.Context, url string, role role, options options) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, unavailable(err)
	}
	configure(config, role)
	equip(config, role, options)
	return pgx.ConnectConfig(ctx, config)
}
