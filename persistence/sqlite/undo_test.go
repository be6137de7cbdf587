package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/migrations"
	"github.com/oponn/oponn/persistence/sqlite"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestUndo(t *testing.T) {
	ctx, newest := context.Background(), migrations.Newest(migrations.SQLite())
	t.Run("down to the ground and up again", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, storetest.Plan{})
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		for version := newest; version > 1; version-- {
			if undone, err := sqlite.Undo(ctx, path, false); err != nil || undone.Version != version {
				t.Fatalf("undid %+v: %v", undone, err)
			}
		}
		var loss *migrations.LossError
		if _, err := sqlite.Undo(ctx, path, false); !errors.As(err, &loss) || oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("undoing the first gave %v", err)
		}
		store = openStore(t, path)
		subject.Recount(t, store)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		for version := newest; version > 0; version-- {
			if undone, err := sqlite.Undo(ctx, path, true); err != nil || undone.Version != version {
				t.Fatalf("undid %+v: %v", undone, err)
			}
		}
		if _, err := sqlite.Undo(ctx, path, true); !errors.Is(err, migrations.ErrNoneApplied) {
			t.Errorf("undoing nothing gave %v", err)
		}
		if status, err := sqlite.Status(ctx, path); err != nil || status.Schema != 0 || !status.Migrations[0].AppliedAt.IsZero() {
			t.Errorf("the status is %+v, %v", status, err)
		}
		store = openStore(t, path)
		storetest.Create(t, store, storetest.Plan{})
		if status, err := sqlite.Status(ctx, path); err != nil || status.Schema != newest || status.Newer() || status.Migrations[0].AppliedAt.IsZero() {
			t.Errorf("the status is %+v, %v", status, err)
		}
	})
	t.Run("what a newer release did is left to that, and worked with", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		if err := store.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1); ALTER TABLE votes ADD COLUMN later TEXT"); err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		var newer *migrations.NewerError
		if _, err := sqlite.Undo(ctx, path, true); !errors.As(err, &newer) || newer.Schema != 9999 || newer.Known != newest {
			t.Errorf("got %v", err)
		}
		if status, err := sqlite.Status(ctx, path); err != nil || !status.Newer() || status.Schema != 9999 {
			t.Errorf("the status is %+v, %v", status, err)
		}
		store = openStore(t, path)
		subject := storetest.Create(t, store, storetest.Plan{})
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 3)))
		subject.Recount(t, openStore(t, path, sqlite.ReadOnly()))
	})
	t.Run("there is nothing to undo in no file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		if _, err := sqlite.Undo(ctx, path, true); oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
		if _, err := sqlite.Status(ctx, path); oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
