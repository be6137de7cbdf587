package main

import (
	"context"
	"fmt"
	"time"

	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/sqlite"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Bring the database's schema up to date. A server does that itself when it starts; of several at once, one works and the others wait."`
	Status migrateStatus `cmd:"" help:"List the migrations, and when each was applied."`
	Down   migrateDown   `cmd:"" help:"There is no way down: says why."`
}

type (
	migrateUp     struct{ storageSettings }
	migrateStatus struct{ storageSettings }
	migrateDown   struct{}
)

// Run applies what is missing.
func (c migrateUp) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	if storage.embedded() {
		if err := storage.dir.make(); err != nil {
			return err
		}
		store, err := sqlite.Open(ctx, storage.dir.database())
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, "the schema is up to date")
		return store.Close()
	}
	done, err := postgres.Migrate(ctx, storage.databaseURL)
	for _, m := range done {
		fmt.Fprintf(t.out, "applied %d  %s\n", m.Version, m.Name)
	}
	if err == nil {
		fmt.Fprintln(t.out, "the schema is up to date")
	}
	return err
}

// Run lists the migrations; it fails when one is missing.
func (c migrateStatus) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	if storage.embedded() {
		store, err := sqlite.Open(ctx, storage.dir.database(), sqlite.ReadOnly())
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, "the schema is up to date")
		return store.Close()
	}
	all, err := postgres.Status(ctx, storage.databaseURL)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			fmt.Fprintf(t.out, "missing %d  %s\n", m.Version, m.Name)
			err = errFailed
			continue
		}
		fmt.Fprintf(t.out, "applied %d  %s  %s\n", m.Version, m.Name, m.AppliedAt.UTC().Format(time.RFC3339))
	}
	return err
}

// Run explains.
func (migrateDown) Run() error {
	return usageError{fmt.Errorf("oponn: migrations only go up. Each one leaves the release before it working, so that going back " +
		"is starting the older binary; what is no longer needed goes in a later release")}
}
