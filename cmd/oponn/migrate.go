package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/oponn/oponn/migrations"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/sqlite"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Bring the database's schema up to date. A server does that itself when it starts; of several at once, one works and the others wait."`
	Status migrateStatus `cmd:"" help:"List the migrations, and when each was applied."`
	Down   migrateDown   `cmd:"" help:"Undo the newest migration, one with each call. Going back to an older release does not need that: it works on the newer schema. Start it, end the servers of this release, then undo what only this one needs: a server migrates when it starts."`
}

type (
	migrateUp     struct{ storageSettings }
	migrateStatus struct{ storageSettings }
	migrateDown   struct {
		storageSettings

		DropData bool `help:"Also undo a migration that takes votes or keys along."`
	}
)

// Run applies what is missing.
func (c migrateUp) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	if storage.embedded() {
		err = storage.dir.make()
		if err == nil {
			err = migrateEmbedded(ctx, storage)
		}
	} else {
		var done []migrations.Migration
		done, err = postgres.Migrate(ctx, storage.databaseURL)
		for _, m := range done {
			fmt.Fprintf(t.out, "applied %d  %s\n", m.Version, m.Name)
		}
	}
	if err != nil {
		return err
	}
	status, err := schemaStatus(ctx, storage)
	if err != nil {
		return err
	}
	if status.Newer() {
		printNewer(t, status)
	} else {
		fmt.Fprintln(t.out, "the schema is up to date")
	}
	return nil
}

// migrateEmbedded brings the database of the data directory up to date.
func migrateEmbedded(ctx context.Context, storage storage) error {
	store, err := sqlite.Open(ctx, storage.dir.database())
	if err != nil {
		return err
	}
	return store.Close()
}

// Run lists the migrations; it fails when one is missing.
func (c migrateStatus) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	status, err := schemaStatus(ctx, storage)
	if err != nil {
		return err
	}
	for _, m := range status.Migrations {
		if m.AppliedAt.IsZero() {
			fmt.Fprintf(t.out, "missing %d  %s\n", m.Version, m.Name)
			err = errFailed
			continue
		}
		fmt.Fprintf(t.out, "applied %d  %s  %s\n", m.Version, m.Name, m.AppliedAt.UTC().Format(time.RFC3339))
	}
	if status.Newer() {
		printNewer(t, status)
	}
	return err
}

// schemaStatus asks the database that there is how far it has come.
func schemaStatus(ctx context.Context, storage storage) (migrations.Status, error) {
	if !storage.embedded() {
		return postgres.Status(ctx, storage.databaseURL)
	}
	if err := storage.mustHaveDatabase(); err != nil {
		return migrations.Status{}, err
	}
	return sqlite.Status(ctx, storage.dir.database())
}

// mustHaveDatabase returns an error when there is none in the data directory.
func (s storage) mustHaveDatabase() error {
	if _, err := os.Stat(s.dir.database()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: OPONN_DATA_DIR (--data-dir) says where a server keeps its files", s.dir.database())
	}
	return nil // what else there may be, opening it will tell
}

func printNewer(t terminal, status migrations.Status) {
	fmt.Fprintf(t.out, "the database is newer than this binary: it has the schema %d, this release knows up to %d and works on it all the same\n",
		status.Schema, len(status.Migrations))
}

// Run undoes one migration.
func (c migrateDown) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	var undone migrations.Migration
	if storage.embedded() {
		undone, err = undoEmbedded(ctx, storage, c.DropData)
	} else {
		undone, err = postgres.Undo(ctx, storage.databaseURL, c.DropData)
	}
	var loss *migrations.LossError
	switch {
	case errors.As(err, &loss):
		return usageError{fmt.Errorf("oponn: %w. Nothing was changed; --drop-data does it", loss)}
	case err != nil:
		return err
	}
	fmt.Fprintf(t.out, "undone %d  %s\n", undone.Version, undone.Name)
	fmt.Fprintln(t.out, "a server of this release would apply it again when it starts: go on with the older one")
	return nil
}

// undoEmbedded undoes a migration of the data directory that no server uses.
func undoEmbedded(ctx context.Context, storage storage, dropData bool) (undone migrations.Migration, err error) {
	if err := storage.mustHaveDatabase(); err != nil {
		return undone, err
	}
	lock, err := storage.dir.lock()
	if err != nil {
		return undone, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	return sqlite.Undo(ctx, storage.dir.database(), dropData)
}
