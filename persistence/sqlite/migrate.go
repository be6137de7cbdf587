package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"github.com/oponn/oponn/migrations"
)

// migrate brings the schema up to date, on a connection of its own, and
// switches the file to its write-ahead log for good.
func migrate(ctx context.Context, path string) (err error) {
	db, err := driver.Open(uri(path), func(c *sqlite3.Conn) error {
		return errors.Join(c.BusyTimeout(busyTimeout), c.Exec(settings+settingsWritable+"PRAGMA journal_mode = WAL;"))
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite(),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
}

// newestMigration returns the number of the last migration in this binary.
func newestMigration() int64 {
	names, err := fs.Glob(migrations.SQLite(), "*.sql")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	return int64(len(names)) // numbered from 1 without gaps
}

// schemaVersion returns the number of the last migration that was applied.
func (c *connection) schemaVersion() (version int64, err error) {
	err = c.rows(selectSchema, func(row *sqlite3.Stmt) error {
		version = row.ColumnInt64(0)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("this is no database of ours: %w", err)
	}
	return version, nil
}
