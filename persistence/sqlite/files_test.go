package sqlite_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/sqlite"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestOpen(t *testing.T) {
	t.Run("directory and files are for their owner alone", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "new", "data #1 100%?")
		store := openStore(t, filepath.Join(dir, "oponn.db"))
		storetest.Create(t, store, storetest.Plan{})
		modes := map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, dir + "/oponn.db": 0o600, dir + "/oponn.db-wal": 0o600, dir + "/oponn.db-shm": 0o600}
		for name, want := range modes {
			if info, err := os.Stat(name); err != nil || info.Mode() != want {
				t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
			t.Errorf("%v %v", entries, err)
		}
	})
	t.Run("a file that is no database is refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(context.Background(), path)
		if oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a directory that can't be made is refused", func(t *testing.T) {
		_, err := sqlite.Open(context.Background(), "/dev/null/oponn.db")
		if oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestReadOnly(t *testing.T) {
	t.Run("it reads beside a server, and writes nothing", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		server := openStore(t, path)
		subject := storetest.Create(t, server, storetest.Plan{})
		reader := openStore(t, path, sqlite.ReadOnly())
		for range 3 {
			effect := storetest.Insist(t, server, subject.Batch(subject.NewVotes(t, 10)))
			if record, _ := subject.Recount(t, reader); record.Head.Version != effect.Head.Version {
				t.Errorf("read version %d, the server is at %d", record.Head.Version, effect.Head.Version)
			}
		}
		if done := storetest.AppendOne(reader, subject.Closing()); oponn.CodeOf(done.Err) != oponn.CodeStoreUnavailable {
			t.Errorf("append gave %v", done.Err)
		}
		_, err := reader.Create(context.Background(), storetest.NewSubject(t, storetest.Plan{}).Record)
		if oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("create gave %v", err)
		}
	})
	t.Run("it reads when no server runs", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		server := openStore(t, path)
		subject := storetest.Create(t, server, storetest.Plan{})
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		subject.Recount(t, openStore(t, path, sqlite.ReadOnly()))
	})
	t.Run("a file that is missing is not made", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		if _, err := sqlite.Open(context.Background(), path, sqlite.ReadOnly()); oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the file: %v", err)
		}
	})
	t.Run("an older schema is refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		if err := openStore(t, path).Exec("DELETE FROM goose_db_version WHERE version_id > 0"); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(context.Background(), path, sqlite.ReadOnly()); oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("got %v", err)
		}
	})
}

// contents returns all that is kept of a database on the disk.
func contents(t *testing.T, path string) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm"} {
		part, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
	}
	return all
}

func TestFiles(t *testing.T) {
	secret := storetest.Plan{
		Definition: oponn.Definition{Question: "Is Caladan the better planet?", Labels: []string{"Caladan", "Arrakis"}, AllowWriteIn: true},
		Owner:      oponn.NewOwnerID()}
	t.Run("they tell neither question nor options, voters nor owner", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, secret)
		voter, other := oponn.NewVoterID(), oponn.NewVoterID()
		storetest.Insist(t, store, subject.Batch([]oponn.Vote{
			subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0)),
			subject.Prepare(other, oponn.NewVoteID(), subject.WritingIn(t, "Giedi Prime"))}))
		all := contents(t, path)
		for _, hidden := range []string{"Caladan", "Arrakis", "planet", "Giedi", string(voter[:]), string(other[:]), string(secret.Owner[:])} {
			if bytes.Contains(all, []byte(hidden)) {
				t.Errorf("the files tell %q", hidden)
			}
		}
		for _, kept := range [][]byte{subject.ID[:], subject.Record.Key.Blob, subject.Record.Definition} {
			if !bytes.Contains(all, kept) {
				t.Errorf("the search would not find what is there")
			}
		}
	})
	t.Run("a deleted ballot's wrapped key is nowhere", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject, neighbour := storetest.Create(t, store, secret), storetest.Create(t, store, storetest.Plan{})
		vote := subject.NewVote(t, 0)
		storetest.Insist(t, store, subject.Batch(append(subject.NewVotes(t, 2500), vote)))
		storetest.Insist(t, store, subject.Deleting())
		for what, gone := range map[string][]byte{"key": subject.Record.Key.Blob, "commitment": subject.Record.Key.Commitment, "definition": subject.Record.Definition} {
			if bytes.Contains(contents(t, path), gone) {
				t.Errorf("the files have the %s", what)
			}
		}
		if !bytes.Contains(contents(t, path), neighbour.Record.Key.Blob) {
			t.Error("the neighbour's key is gone too")
		}
		if !store.Sweep(context.Background()) {
			t.Fatal("the sweep was not finished")
		}
		if all := contents(t, path); bytes.Contains(all, vote.Tag[:]) || bytes.Contains(all, vote.Sealed) {
			t.Error("the files have the vote")
		}
		if !bytes.Contains(contents(t, path), subject.ID[:]) {
			t.Error("the tombstone is gone")
		}
		neighbour.Recount(t, store)
	})
	t.Run("a key that somebody still reads is gone when they have finished", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, secret)
		err := store.Scan(context.Background(), subject.ID, func(oponn.Record) error {
			storetest.Insist(t, store, subject.Deleting())
			if store.Sweep(context.Background()) {
				t.Error("the sweep ended under a reader's eyes")
			}
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !store.Sweep(context.Background()) {
			t.Error("the sweep was not finished")
		}
		if bytes.Contains(contents(t, path), subject.Record.Key.Blob) {
			t.Error("the files have the key")
		}
	})
}

func TestCrash(t *testing.T) {
	t.Run("a copy taken at any moment has every vote acknowledged before", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "oponn.db")
		store := openStore(t, path)
		subject := storetest.Create(t, store, storetest.Plan{})
		var acknowledged []oponn.LoggedVote
		for i := range 60 {
			acknowledged = append(acknowledged, storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 50))).Logged...)
			if i%20 != 19 {
				continue
			}
			crashed := filepath.Join(t.TempDir(), "copy.db")
			for _, suffix := range []string{"", "-wal"} { // the index is made anew after a crash
				part, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(crashed+suffix, part, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, log := subject.Recount(t, openStore(t, crashed))
			if len(log) != len(acknowledged) || log[len(log)-1].ID != acknowledged[len(log)-1].ID {
				t.Errorf("%d votes of %d are left", len(log), len(acknowledged))
			}
		}
	})
}
