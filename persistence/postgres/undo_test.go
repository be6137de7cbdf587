package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/migrations"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestUndo(t *testing.T) {
	newest := migrations.Newest(migrations.Postgres())
	t.Run("every step down undoes its step up", func(t *testing.T) {
		url, ctx := pgtest.URL(t), context.Background()
		admin := connect(t, url)
		whole := catalog(t, admin)
		for down := int64(1); down <= newest; down++ {
			for i := range down {
				undone, err := postgres.Undo(ctx, url, true)
				if err != nil || undone.Version != newest-i {
					t.Fatalf("undid %+v: %v", undone, err)
				}
			}
			if status, err := postgres.Status(ctx, url); err != nil || status.Schema != newest-down || status.Newer() {
				t.Errorf("after %d steps: %+v, %v", down, status, err)
			}
			if rest := catalog(t, admin); down == newest && len(rest) > 0 {
				t.Errorf("on the ground there still is %s", strings.Join(rest, "\n"))
			}
			if _, err := postgres.Migrate(ctx, url); err != nil {
				t.Fatal(err)
			}
			if again := catalog(t, admin); !slices.Equal(again, whole) {
				t.Errorf("%d steps down and up again lead to\n%s\nfrom\n%s", down, strings.Join(again, "\n"), strings.Join(whole, "\n"))
			}
		}
	})
	t.Run("votes go only with whoever insists", func(t *testing.T) {
		url, ctx := pgtest.URL(t), context.Background()
		store := openStore(t, url)
		storetest.Create(t, store, storetest.Plan{})
		for range newest - 1 {
			if _, err := postgres.Undo(ctx, url, false); err != nil {
				t.Fatal(err)
			}
		}
		var loss *migrations.LossError
		if _, err := postgres.Undo(ctx, url, false); !errors.As(err, &loss) || oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("undoing the first gave %v", err)
		}
		var ballots int
		if err := connect(t, url).QueryRow(ctx, "select count(*) from ballots").Scan(&ballots); err != nil || ballots != 1 {
			t.Errorf("%d ballots are left: %v", ballots, err)
		}
		if _, err := postgres.Undo(ctx, url, true); err != nil {
			t.Error(err)
		}
		if _, err := postgres.Undo(ctx, url, true); !errors.Is(err, migrations.ErrNoneApplied) {
			t.Errorf("undoing nothing gave %v", err)
		}
	})
	t.Run("what a newer release did is left to that", func(t *testing.T) {
		url, ctx := pgtest.URL(t), context.Background()
		exec(t, connect(t, url), "insert into goose_db_version (version_id, is_applied) values (9999, true)")
		var newer *migrations.NewerError
		if _, err := postgres.Undo(ctx, url, true); !errors.As(err, &newer) || newer.Schema != 9999 || newer.Known != newest {
			t.Errorf("got %v", err)
		}
		if status, err := postgres.Status(ctx, url); err != nil || !status.Newer() || status.Schema != 9999 {
			t.Errorf("the status is %+v, %v", status, err)
		}
		if done, err := postgres.Migrate(ctx, url); err != nil || len(done) > 0 {
			t.Errorf("migrating did %v, %v", done, err)
		}
	})
	t.Run("it waits for its turn, and for a table not long", func(t *testing.T) {
		url, ctx := pgtest.URL(t), context.Background()
		admin := connect(t, url)
		exec(t, admin, "select pg_advisory_lock(x'6f706f6e6e'::bigint)")
		undone := make(chan error, 1)
		go func() {
			_, err := postgres.Undo(ctx, url, true)
			undone <- err
		}()
		eventually(t, "one that waits", func() bool {
			var waits bool
			err := admin.QueryRow(ctx, "select exists (select from pg_stat_activity where datname = current_database() and query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid())").Scan(&waits)
			return err == nil && waits
		})
		exec(t, admin, "begin", "lock table join_codes", "select pg_advisory_unlock(x'6f706f6e6e'::bigint)")
		began := time.Now()
		expect(t, <-undone, oponn.CodeBusy, "")
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it held up everybody for %v", took)
		}
		exec(t, admin, "rollback")
		if _, err := postgres.Undo(ctx, url, true); err != nil {
			t.Error(err)
		}
	})
}

// catalog returns what there is in a database but for the table that counts
// migrations, in order.
func catalog(t *testing.T, admin *pgx.Conn) []string {
	t.Helper()
	rows, err := admin.Query(context.Background(), `
		select concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default)
			from information_schema.columns where table_schema = 'public' and table_name not like 'goose%'
		union all select indexdef from pg_indexes where schemaname = 'public' and tablename not like 'goose%'
		union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
			from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'goose%'
		union all select concat_ws(' ', 'relation', relname, relkind, reloptions::text)
			from pg_class where relnamespace = 'public'::regnamespace and relname not like 'goose%'
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
