package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/oponn/oponn/persistence/sqlite"
	"github.com/oponn/oponn/persistence/storetest"
)

// observed counts what is done to a file, and fails to write after some writes
// when told to.
type observed struct {
	vfs.File
	writes, unsynced, syncs int
	failing                 bool
	spare                   int // writes that succeed although it is failing
}

func (f *observed) WriteAt(p []byte, at int64) (int, error) {
	if f.failing && f.spare == 0 {
		return 0, sqlite3.IOERR_WRITE
	}
	f.spare--
	f.writes++
	f.unsynced++
	return f.File.WriteAt(p, at)
}

func (f *observed) Sync(flags vfs.SyncFlag) error {
	f.syncs++
	f.unsynced = 0
	return f.File.Sync(flags)
}

// observe observes the write-ahead log of a store.
func observe(t *testing.T, store *sqlite.Store) *observed {
	t.Helper()
	var o *observed
	if err := store.Log(func(file vfs.File) vfs.File {
		o = &observed{File: file}
		return o
	}); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestLog(t *testing.T) {
	t.Run("a batch takes a few writes, and all are synced", func(t *testing.T) {
		store := openStore(t, filepath.Join(t.TempDir(), "oponn.db"))
		subject := storetest.Create(t, store, storetest.Plan{})
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 5000)))
		log := observe(t, store)
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 200)))
		// Some 150 pages of 4 KB, each with a header; a checkpoint may follow.
		if log.writes > 10 || log.syncs < 1 || log.unsynced > 0 {
			t.Errorf("%d writes, %d of them not synced; %d syncs", log.writes, log.unsynced, log.syncs)
		}
	})
	t.Run("what is left of a COMMIT that failed is not written over what others wrote", func(t *testing.T) {
		for spare := range 3 {
			path := filepath.Join(t.TempDir(), "oponn.db")
			store, other := openStore(t, path), openStore(t, path)
			subject := storetest.Create(t, store, storetest.Plan{})
			storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 3000)))
			log := observe(t, store)
			log.failing, log.spare = true, spare
			batch := subject.Batch(subject.NewVotes(t, 1000))
			if done := storetest.AppendOne(store, batch); !errors.Is(done.Err, sqlite3.IOERR_WRITE) && spare == 0 {
				t.Errorf("got %v", done.Err)
			}
			log.failing = false
			storetest.Insist(t, other, subject.Batch(subject.NewVotes(t, 1000)))
			for range 3 {
				storetest.Insist(t, store, batch)
			}
			if _, votes := subject.Recount(t, openStore(t, path)); len(votes) != 5000 {
				t.Errorf("%d votes", len(votes))
			}
		}
	})
}
