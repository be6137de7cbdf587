package sqlite

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// Scan reads a ballot's record and its log in one snapshot. It opens a
// connection of its own, so that scans and what their readers ask the store
// meanwhile never wait for each other. SQLite sorts the log, a large one with
// little memory and a temporary file of sealed rows under TMPDIR. While a scan
// runs, the write-ahead log can only grow.
func (s *Store) Scan(ctx context.Context, ballot oponn.BallotID, begin func(oponn.Record) error, vote func(oponn.LoggedVote) error) (err error) {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	c, err := connect(s.path, readable)
	if err != nil {
		return translate(ctx, err)
	}
	defer func() {
		if again := c.Close(); err == nil && again != nil {
			err = oponn.Internal(again)
		}
	}()
	// What the reader says is returned as it is, whatever it is.
	var said error
	err = c.snapshot(ctx, func(c *connection) error {
		record, err := c.record(ballot)
		if err != nil {
			return err
		}
		if said = begin(record); said != nil {
			return errReader
		}
		return c.rows(selectLog, func(row *sqlite3.Stmt) error {
			if said = vote(loggedVote(row)); said != nil {
				return errReader
			}
			return nil
		}, ballot[:])
	})
	if said != nil {
		return said
	}
	return err
}

// errReader ends a scan whose reader wants no more.
var errReader = errors.New("the reader ended the scan")
