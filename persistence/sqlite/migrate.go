package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/migrations"
)

// migrate brings the schema up to date, on a connection of its own, and
// switches the file to its write-ahead log for good.
func migrate(ctx context.Context, path string) error {
	return withProvider(uri(path), settings+settingsWritable+"PRAGMA journal_mode = WAL;", func(provider *goose.Provider) error {
		_, err := provider.Up(ctx)
		return err
	})
}

// Undo undoes the newest migration of the database in the file at path, which
// exists, and returns it, when migrations.Undoable allows that: its errors are
// causes of CodeInternal. No server may have the file open.
func Undo(ctx context.Context, path string, dropData bool) (undone migrations.Migration, err error) {
	err = withProvider(uri(path)+"&mode=rw", settings+settingsWritable, func(provider *goose.Provider) error {
		schema, err := provider.GetDBVersion(ctx)
		if err != nil {
			return err
		}
		if err := migrations.Undoable(migrations.SQLite(), schema, dropData); err != nil {
			return oponn.Internal(err)
		}
		result, err := provider.Down(ctx)
		if err == nil {
			undone = migrations.Migration{Version: result.Source.Version, Name: result.Source.Path}
		}
		return err
	})
	return undone, outcome(ctx, path, err)
}

// Status tells how far the database in the file at path, which exists, has
// come. It only reads, so that it may run beside a server.
func Status(ctx context.Context, path string) (status migrations.Status, err error) {
	err = withProvider(uri(path)+"&mode=ro", settings, func(provider *goose.Provider) error {
		if status.Schema, err = provider.GetDBVersion(ctx); err != nil {
			return err
		}
		states, err := provider.Status(ctx)
		for _, state := range states {
			status.Migrations = append(status.Migrations,
				migrations.Migration{Version: state.Source.Version, Name: state.Source.Path, AppliedAt: state.AppliedAt})
		}
		return err
	})
	return status, outcome(ctx, path, err)
}

// outcome gives an error about the schema its code.
func outcome(ctx context.Context, path string, err error) error {
	var own *oponn.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	err = translate(ctx, fmt.Errorf("the schema of %s: %w", path, err))
	if errors.As(err, &own) {
		return err
	}
	return oponn.Internal(err)
}

// withProvider opens a database on a connection of its own.
func withProvider(uri, pragmas string, do func(*goose.Provider) error) (err error) {
	db, err := driver.Open(uri, func(c *sqlite3.Conn) error {
		return errors.Join(c.BusyTimeout(busyTimeout), c.Exec(pragmas))
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite(),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return do(provider)
}

// newestMigration returns the number of the last migration in this binary.
func newestMigration() int64 { return migrations.Newest(migrations.SQLite()) }

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
