package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
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

// Log replaces the file of the write-ahead log on the connection that writes.
func (s *Store) Log(replace func(vfs.File) vfs.File) error {
	c := <-s.writing
	defer func() { s.writing <- c }()
	file, err := c.FileControl("main", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	wal := file.(*walFile)
	wal.File = replace(wal.File)
	return nil
}
