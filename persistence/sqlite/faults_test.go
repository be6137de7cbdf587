package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestFaults(t *testing.T) {
	t.Run("a full disk is unavailable, and votes go on when there is room", func(t *testing.T) {
		store := openStore(t, filepath.Join(t.TempDir(), "oponn.db"))
		subject := storetest.Create(t, store, storetest.Plan{})
		pages(t, store.Exec, 30)
		batch := subject.Batch(subject.NewVotes(t, 3000))
		done := storetest.AppendOne(store, batch)
		expectUnavailable(t, done.Err, sqlite3.FULL)
		subject.Recount(t, store)
		pages(t, store.Exec, 100000)
		for _, outcome := range storetest.Insist(t, store, batch).Outcomes {
			if outcome.Repeat || outcome.Err != nil {
				t.Fatalf("got %+v", outcome)
			}
		}
		subject.Recount(t, store)
	})
	t.Run("a batch that does not fit leaves its neighbours' room", func(t *testing.T) {
		store := openStore(t, filepath.Join(t.TempDir(), "oponn.db"))
		large, small := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
		pages(t, store.Exec, 40)
		done := store.Append(context.Background(), []oponn.Batch{large.Batch(large.NewVotes(t, 3000)), small.Batch(small.NewVotes(t, 3))})
		expectUnavailable(t, done[0].Err, sqlite3.FULL)
		if done[1].Err != nil {
			t.Errorf("the neighbour got %v", done[1].Err)
		}
		small.Recount(t, store)
	})
	t.Run("a database that may not be written is unavailable", func(t *testing.T) {
		store := openStore(t, filepath.Join(t.TempDir(), "oponn.db"))
		subject := storetest.Create(t, store, storetest.Plan{})
		if err := store.Exec("PRAGMA query_only = ON"); err != nil {
			t.Fatal(err)
		}
		expectUnavailable(t, storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1))).Err, sqlite3.READONLY)
	})
	t.Run("a damaged file is unavailable", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, storetest.Plan{})
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 3000)))
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := file.Stat()
		for page := int64(15); page < info.Size()/4096; page++ {
			_, _ = file.WriteAt([]byte("this is not a page of a database any more"), page*4096)
		}
		_ = file.Close()
		store = openStore(t, path)
		expectUnavailable(t, storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 300))).Err, sqlite3.CORRUPT)
	})
	t.Run("another process that writes makes it busy", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, storetest.Plan{})
		other, err := sqlite3.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		// The store may still be sweeping, as it does when it is opened.
		if err := errors.Join(other.BusyTimeout(20*time.Second), store.Exec("PRAGMA busy_timeout = 10"), other.Exec("BEGIN IMMEDIATE")); err != nil {
			t.Fatal(err)
		}
		done := storetest.AppendOne(store, subject.Closing())
		if oponn.CodeOf(done.Err) != oponn.CodeBusy {
			t.Errorf("got %v", done.Err)
		}
		if err := other.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		storetest.Insist(t, store, subject.Closing())
	})
}

// pages limits the size of the database, as a full disk would.
func pages(t *testing.T, exec func(string) error, n int) {
	t.Helper()
	if err := exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		t.Fatal(err)
	}
}

func expectUnavailable(t *testing.T, err, cause error) {
	t.Helper()
	var e *oponn.Error
	if !errors.As(err, &e) || e.Code != oponn.CodeStoreUnavailable || e.RetryAfter <= 0 || !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
}
