package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"
)

// LoseNextCommit makes the next COMMIT answer with an I/O error, after it was
// done or after the transaction was rolled back.
func (s *Store) LoseNextCommit(committed bool) {
	c := <-s.writing
	defer func() { s.writing <- c }()
	s.commit = func(c *connection) error {
		s.commit = nil
		done := (*connection).commit
		if !committed {
			done = (*connection).abort
		}
		if err := done(c); err != nil {
			return err
		}
		return sqlite3.IOERR_FSYNC
	}
}

// Sweep does what the sweeper does.
func (s *Store) Sweep(ctx context.Context) bool { return s.sweep(ctx) }

// Exec runs SQL on the connection that writes.
func (s *Store) Exec(sql string) error {
	c := <-s.writing
	defer func() { s.writing <- c }()
	return c.Exec(sql)
}
