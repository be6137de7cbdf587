package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/migrations"
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	// Name is its file's.
	Name string
	// AppliedAt is zero for one that has not been applied.
	AppliedAt time.Time
}

// Migrate brings the schema of the database at url up to date and returns what
// it did. Of several that start at once, one works and the others wait and
// find it done. There is no way down: schemas expand, so that the release
// before goes on working, and contract in a later one.
func Migrate(ctx context.Context, url string) (done []Migration, err error) {
	err = withProvider(ctx, url, func(provider *goose.Provider) error {
		results, err := provider.Up(ctx)
		for _, result := range results {
			done = append(done, Migration{Version: result.Source.Version, Name: result.Source.Path, AppliedAt: time.Now()})
		}
		return err
	})
	return done, err
}

// Status returns all migrations of this binary in their order. It changes
// nothing but for the table that counts them.
func Status(ctx context.Context, url string) (all []Migration, err error) {
	err = withProvider(ctx, url, func(provider *goose.Provider) error {
		states, err := provider.Status(ctx)
		for _, state := range states {
			all = append(all, Migration{Version: state.Source.Version, Name: state.Source.Path, AppliedAt: state.AppliedAt})
		}
		return err
	})
	return all, err
}

func withProvider(ctx context.Context, url string, do func(*goose.Provider) error) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return unavailable(err)
	}
	configure(config, migrating)
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres(),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(turn{}))
	if err != nil {
		return oponn.Internal(err)
	}
	if err := do(provider); err != nil {
		return translate(ctx, fmt.Errorf("bring the schema up to date: %w", err))
	}
	return nil
}

// turn lets one connection at a time migrate. It waits in the database, for
// somewhat longer than a migration may take.
type turn struct{}

// advisoryKey is "oponn" in ASCII.
const advisoryKey = 0x6f706f6e6e

// SessionLock waits for the turn. Afterwards the wait for a table's lock is
// short again: behind a statement that waits for one, all votes wait.
func (turn) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "set lock_timeout = '60s'"); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "select pg_advisory_lock($1)", int64(advisoryKey)); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "set lock_timeout = '"+settings["lock_timeout"]+"'")
	return err
}

// SessionUnlock ends the turn.
func (turn) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "select pg_advisory_unlock($1)", int64(advisoryKey))
	return err
}

// newestMigration returns the number of the last migration in this binary.
func newestMigration() int64 {
	names, err := fs.Glob(migrations.Postgres(), "*.sql")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	return int64(len(names)) // numbered from 1 without gaps
}

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
	var counted bool
	if err := conn.QueryRow(ctx, "select to_regclass('goose_db_version') is not null").Scan(&counted); err != nil {
		return 0, translate(ctx, err)
	}
	if counted {
		err = conn.QueryRow(ctx, "select coalesce(max(version_id), 0) from goose_db_version where is_applied").Scan(&version)
	}
	return version, translate(ctx, err)
}
