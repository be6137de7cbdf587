package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/migrations"
)

// Migrate brings the schema of the database at url up to date and returns what
// it did. Of several that start at once, one works and the others wait and
// find it done. A schema that is newer than this binary stays as it is.
func Migrate(ctx context.Context, url string) (done []migrations.Migration, err error) {
	err = withProvider(ctx, url, turn{}, func(provider *goose.Provider) error {
		results, err := provider.Up(ctx)
		for _, result := range results {
			done = append(done, migrations.Migration{Version: result.Source.Version, Name: result.Source.Path, AppliedAt: time.Now()})
		}
		return err
	})
	return done, err
}

// Undo undoes the newest migration of the database at url and returns it, when
// migrations.Undoable allows that: its errors are causes of CodeInternal. It
// waits for its turn as Migrate does. A server of this release would migrate
// the database again when it starts.
func Undo(ctx context.Context, url string, dropData bool) (undone migrations.Migration, err error) {
	allowed := func(ctx context.Context, conn *sql.Conn) error {
		schema, err := schemaOf(func(query string, to any) error { return conn.QueryRowContext(ctx, query).Scan(to) })
		if err != nil {
			return err
		}
		if err := migrations.Undoable(migrations.Postgres(), schema, dropData); err != nil {
			return oponn.Internal(err)
		}
		return nil
	}
	err = withProvider(ctx, url, turn{allowed}, func(provider *goose.Provider) error {
		result, err := provider.Down(ctx)
		if err == nil {
			undone = migrations.Migration{Version: result.Source.Version, Name: result.Source.Path}
		}
		return err
	})
	return undone, err
}

// Status tells how far the database at url has come. It changes nothing but
// for the table that counts the migrations.
func Status(ctx context.Context, url string) (status migrations.Status, err error) {
	err = withProvider(ctx, url, turn{}, func(provider *goose.Provider) error {
		states, err := provider.Status(ctx)
		for _, state := range states {
			status.Migrations = append(status.Migrations,
				migrations.Migration{Version: state.Source.Version, Name: state.Source.Path, AppliedAt: state.AppliedAt})
		}
		return err
	})
	if err == nil {
		status.Schema, err = schemaVersion(ctx, url)
	}
	return status, err
}

func withProvider(ctx context.Context, url string, turn turn, do func(*goose.Provider) error) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return unavailable(err)
	}
	configure(config, migrating)
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres(),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(turn))
	if err != nil {
		return oponn.Internal(err)
	}
	err = do(provider)
	var own *oponn.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own // of the turn: what goose says around it helps nobody
	default:
		return translate(ctx, fmt.Errorf("migrate the database: %w", err))
	}
}

// turn lets one connection at a time migrate: the one that has an advisory
// lock.
type turn struct {
	// allowed has the last word once it is our turn, if it isn't nil.
	allowed func(context.Context, *sql.Conn) error
}

// advisoryKey is "oponn" in ASCII.
const advisoryKey = 0x6f706f6e6e

// How long to wait for the turn, which is somewhat longer than a migration may
// keep others waiting, and how long between two times of asking.
const (
	turnPatience = 60 * time.Second
	turnPause    = 100 * time.Millisecond
)

// SessionLock waits for the turn. It asks again and again: a statement that
// waited in the database would be a transaction that CREATE INDEX CONCURRENTLY,
// of whoever has the turn, would wait for in its turn.
func (w turn) SessionLock(ctx context.Context, conn *sql.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, turnPatience)
	defer cancel()
	for {
		var ours bool
		if err := conn.QueryRowContext(waiting, "select pg_try_advisory_lock($1)", int64(advisoryKey)).Scan(&ours); err != nil {
			return err
		}
		if ours {
			break
		}
		select {
		case <-time.After(turnPause):
		case <-waiting.Done():
			return busy(fmt.Errorf("somebody else migrates the database: %w", waiting.Err()))
		}
	}
	if w.allowed == nil {
		return nil
	}
	if err := w.allowed(ctx, conn); err != nil {
		return errors.Join(err, w.SessionUnlock(ctx, conn))
	}
	return nil
}

// SessionUnlock ends the turn.
func (turn) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "select pg_advisory_unlock($1)", int64(advisoryKey))
	return err
}

// newestMigration returns the number of the last migration in this binary.
func newestMigration() int64 { return migrations.Newest(migrations.Postgres()) }

// schemaVersion returns the number of the last migration that was applied, 0
// for an empty database.
func schemaVersion(ctx context.Context, url string) (version int64, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, unavailable(err)
	}
	configure(config, migrating)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, translate(ctx, err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // it has only read
	version, err = schemaOf(func(query string, to any) error { return conn.QueryRow(ctx, query).Scan(to) })
	return version, translate(ctx, err)
}

// schemaOf is schemaVersion, given a way to read one value.
func schemaOf(read func(query string, to any) error) (version int64, err error) {
	var counted bool
	if err := read("select to_regclass('goose_db_version') is not null", &counted); err != nil || !counted {
		return 0, err
	}
	err = read("select coalesce(max(version_id), 0) from goose_db_version where is_applied", &version)
	return version, err
}
