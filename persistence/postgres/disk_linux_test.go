package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

// smallDisk mounts a file system of a few megabytes that the server may write
// to, and lets votes live there.
func smallDisk(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	dir := filepath.Join(server.Dir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Fatalf("this test fills a small disk, which takes root and the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		server.Crash(t) // a file system in use can't be taken away
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	server.Own(t, dir)
	exec(t, connect(t, server.URL()), "create tablespace small location '"+dir+"'", "alter table votes set tablespace small")
	return dir
}

func TestFullDisk(t *testing.T) {
	server := pgtest.NewServer(t)
	store := openStore(t, server.URL())
	large, small := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
	dir := smallDisk(t, server)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 5<<20+512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	storetest.Insist(t, store, small.Batch(small.NewVotes(t, 3)))
	batches := []oponn.Batch{large.Batch(large.NewVotes(t, 5000)), small.Batch(small.NewVotes(t, 3))}
	done := store.Append(context.Background(), batches)
	expect(t, done[0].Err, oponn.CodeStoreUnavailable, "53100")
	if done[1].Err != nil { // room that the first took in vain comes back with vacuum
		expect(t, done[1].Err, oponn.CodeStoreUnavailable, "53100")
	}
	large.Recount(t, store)
	small.Recount(t, store)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for _, outcome := range storetest.Insist(t, store, batches[0]).Outcomes {
		if outcome.Err != nil || outcome.Repeat {
			t.Fatalf("got %+v", outcome)
		}
	}
	large.Recount(t, store)
}
