package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// access is what a connection may do.
type access int

const (
	writable access = iota
	readable
)

// The modes of a checkpoint; see https://sqlite.org/c3ref/wal_checkpoint_v2.html.
const (
	passive  = sqlite3.CHECKPOINT_PASSIVE
	truncate = sqlite3.CHECKPOINT_TRUNCATE
)

// busyTimeout is how long to wait for another process that writes, or that
// recovers the file.
const busyTimeout = 2 * time.Second

// settings of every connection.
const settings = `
PRAGMA trusted_schema = OFF;`

// settingsWritable are those of the connection that writes. Its page cache is
// 64 MiB, because votes go to random places of the log; the write-ahead log is
// copied into the file every 32 MiB and cut back to 64 MiB afterwards.
const settingsWritable = `
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 8192;
PRAGMA journal_size_limit = 67108864;`

// connection is a connection with its prepared statements. It is not safe for
// concurrent use.
type connection struct {
	*sqlite3.Conn
	statements [numQueries]*sqlite3.Stmt
}

// connect opens a connection to a file that exists.
func connect(path string, access access) (*connection, error) {
	flags, pragmas := sqlite3.OPEN_READWRITE, settings+settingsWritable
	if access == readable {
		flags, pragmas = sqlite3.OPEN_READONLY, settings
	}
	conn, err := sqlite3.OpenFlags(uri(path), flags|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(conn.BusyTimeout(busyTimeout), conn.Exec(pragmas)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &connection{Conn: conn}, nil
}

// uri returns the file's name as SQLite wants it, with the wish that the files
// beside it get the same mode.
func uri(path string) string {
	name := url.URL{Path: path}
	return "file:" + name.EscapedPath() + "?vfs=" + walVFS + "&modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
}

// Close finalizes the statements and closes the connection.
func (c *connection) Close() error {
	var errs []error
	for _, statement := range c.statements {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// prepared returns a statement, prepared at its first use, with its parameters
// bound: []byte, string, int, int64 or nil.
func (c *connection) prepared(q query, args ...any) (*sqlite3.Stmt, error) {
	statement := c.statements[q]
	if statement == nil {
		var err error
		if statement, _, err = c.PrepareFlags(queries[q], sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, fmt.Errorf("prepare %q: %w", queries[q], err)
		}
		c.statements[q] = statement
	}
	for i, arg := range args {
		if err := bind(statement, i+1, arg); err != nil {
			return nil, fmt.Errorf("bind parameter %d of %q: %w", i+1, queries[q], err)
		}
	}
	return statement, nil
}

func bind(statement *sqlite3.Stmt, i int, arg any) error {
	switch arg := arg.(type) {
	case nil:
		return statement.BindNull(i)
	case []byte:
		if arg == nil {
			arg = []byte{} // nil would be null
		}
		return statement.BindBlob(i, arg)
	case string:
		return statement.BindText(i, arg)
	case int:
		return statement.BindInt(i, arg)
	case int64:
		return statement.BindInt64(i, arg)
	default:
		return fmt.Errorf("a parameter of type %T", arg)
	}
}

// exec runs a statement that returns no rows.
func (c *connection) exec(q query, args ...any) error {
	statement, err := c.prepared(q, args...)
	if err != nil {
		return err
	}
	if err := statement.Exec(); err != nil {
		return fmt.Errorf("%s: %w", queries[q], err)
	}
	return nil
}

// rows runs a statement and calls row at each row it returns. An error of row
// ends it and is returned as it is.
func (c *connection) rows(q query, row func(*sqlite3.Stmt) error, args ...any) (err error) {
	statement, err := c.prepared(q, args...)
	if err != nil {
		return err
	}
	defer func() {
		// Reset repeats the error of the last step.
		if again := statement.Reset(); err == nil && again != nil {
			err = fmt.Errorf("%s: %w", queries[q], again)
		}
	}()
	for statement.Step() {
		if err := row(statement); err != nil {
			return err
		}
	}
	if err := statement.Err(); err != nil {
		return fmt.Errorf("%s: %w", queries[q], err)
	}
	return nil
}

// abort ends a transaction if there still is one: some errors have ended it
// already.
func (c *connection) abort() error {
	if c.GetAutocommit() {
		return nil
	}
	return c.exec(rollback)
}
