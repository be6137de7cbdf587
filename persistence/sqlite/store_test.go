package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/sqlite"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database {
		return file(filepath.Join(t.TempDir(), "oponn.db"))
	})
}

// file is a database in a file.
type file string

func (f file) Open(t testing.TB) oponn.Store { return openStore(t, string(f)) }

func openStore(t testing.TB, path string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), path, options...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}
