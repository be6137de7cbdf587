package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestMigrate(t *testing.T) {
	t.Run("instances that start at once on an empty database all open it", func(t *testing.T) {
		url := pgtest.EmptyURL(t)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				store, err := postgres.Open(context.Background(), url)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				subject := storetest.Create(t, store, storetest.Plan{})
				subject.Recount(t, store)
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	})
	t.Run("opening says that it migrates, when it does", func(t *testing.T) {
		url, told := pgtest.EmptyURL(t), 0
		for range 2 {
			store, err := postgres.Open(context.Background(), url, postgres.Migrating(func() { told++ }))
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			if told != 1 {
				t.Errorf("told %d times, want when the database is empty", told)
			}
		}
	})
	t.Run("it tells what it did, and does it once", func(t *testing.T) {
		url, ctx := pgtest.EmptyURL(t), context.Background()
		before, err := postgres.Status(ctx, url)
		if err != nil || len(before.Migrations) == 0 || !before.Migrations[0].AppliedAt.IsZero() || before.Schema != 0 || before.Newer() {
			t.Fatalf("before: %+v, %v", before, err)
		}
		done, err := postgres.Migrate(ctx, url)
		if err != nil || len(done) != len(before.Migrations) || done[0].Name != before.Migrations[0].Name || done[0].Version != 1 {
			t.Errorf("did %+v, %v", done, err)
		}
		if done, err = postgres.Migrate(ctx, url); err != nil || len(done) != 0 {
			t.Errorf("did again %+v, %v", done, err)
		}
		after, err := postgres.Status(ctx, url)
		if err != nil || after.Schema != int64(len(before.Migrations)) || after.Migrations[0].AppliedAt.IsZero() || after.Newer() {
			t.Errorf("after: %+v, %v", after, err)
		}
	})
	t.Run("a server that is away is unavailable", func(t *testing.T) {
		_, err := postgres.Migrate(context.Background(), "postgres://oponn@127.0.0.1:1/none?sslmode=disable")
		expect(t, err, oponn.CodeStoreUnavailable, "")
	})
}

func TestOpen(t *testing.T) {
	t.Run("a schema from the future is worked with", func(t *testing.T) {
		url := pgtest.URL(t)
		exec(t, connect(t, url), "insert into goose_db_version (version_id, is_applied) values (9999, true)", "alter table votes add column later text")
		store := openStore(t, url)
		subject := storetest.Create(t, store, storetest.Plan{})
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 3)))
		subject.Recount(t, store)
	})
	t.Run("for reading only it changes nothing", func(t *testing.T) {
		url := pgtest.EmptyURL(t)
		if _, err := postgres.Open(context.Background(), url, postgres.ReadOnly()); oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("an empty database gave %v", err)
		}
		server := openStore(t, url)
		subject := storetest.Create(t, server, storetest.Plan{})
		reader := openStore(t, url, postgres.ReadOnly())
		subject.Recount(t, reader)
		expect(t, storetest.AppendOne(reader, subject.Closing()).Err, oponn.CodeStoreUnavailable, "")
		_, err := reader.Create(context.Background(), storetest.NewSubject(t, storetest.Plan{}).Record)
		expect(t, err, oponn.CodeStoreUnavailable, "")
	})
	t.Run("a server that may forget is refused in production", func(t *testing.T) {
		server := pgtest.NewServer(t, "fsync=off")
		openStore(t, server.URL())
		_, err := postgres.Open(context.Background(), server.URL(), postgres.Production())
		expect(t, err, oponn.CodeStoreUnavailable, "")
	})
	t.Run("sessions have our settings, whatever database and URL say", func(t *testing.T) {
		url := pgtest.URL(t)
		exec(t, connect(t, url), "do $$ begin execute 'alter database ' || current_database() || ' set synchronous_commit = off'; end $$")
		store := openStore(t, url+"&options=-csynchronous_commit%3Doff&idle_in_transaction_session_timeout=0")
		for name, want := range map[string]string{"synchronous_commit": "on", "idle_in_transaction_session_timeout": "2s", "lock_timeout": "4s",
			"statement_timeout": "10s", "tcp_user_timeout": "10000", "tcp_keepalives_idle": "5", "application_name": "oponn writer"} {
			if got, err := store.Setting(context.Background(), name); err != nil || got != want {
				t.Errorf("%s is %q, %v; want %q", name, got, err, want)
			}
		}
	})
}

func TestSweep(t *testing.T) {
	t.Run("the log of a deleted ballot goes, and no other", func(t *testing.T) {
		url := pgtest.URL(t)
		stores, admin := []*postgres.Store{openStore(t, url), openStore(t, url)}, connect(t, url)
		subject, neighbour := storetest.Create(t, stores[0], storetest.Plan{}), storetest.Create(t, stores[0], storetest.Plan{})
		storetest.Insist(t, stores[0], subject.Batch(subject.NewVotes(t, 2500)))
		storetest.Insist(t, stores[0], neighbour.Batch(neighbour.NewVotes(t, 7)))
		storetest.Insist(t, stores[0], subject.Deleting())
		for _, store := range stores {
			if err := store.Sweep(context.Background()); err != nil {
				t.Error(err)
			}
		}
		eventually(t, "the end of the sweep", func() bool {
			var left, unswept int
			err := admin.QueryRow(context.Background(), "select (select count(*) from votes), (select count(*) from tombstones where not swept)").Scan(&left, &unswept)
			return err == nil && left == 7 && unswept == 0
		})
		neighbour.Recount(t, stores[1])
	})
}
