package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestCluster_TwoReleasesSideBySide upgrades to a next release and goes back,
// in the middle of a load that nobody has to know of: its migrations run
// beside instances of this release, instances of both share ballots and
// a port, this release starts again on the newer schema, and the migrations are
// undone beside it.
func TestCluster_TwoReleasesSideBySide(t *testing.T) {
	old := newCluster(t)
	next := old.as(buildNext(t))
	before := newestMigration(t)
	addr := reservePort(t)
	const delay = "OPONN_DRAIN_DELAY=700ms"
	replace := func(gone []*server, c *cluster) (fresh []*server) {
		t.Helper()
		for range 2 {
			fresh = append(fresh, c.serveOn(t, addr, delay))
		}
		for _, s := range gone {
			s.signal(t, syscall.SIGTERM)
			if code := s.awaitExit(t); code != 0 {
				t.Errorf("an instance ended with %d, want 0", code)
			}
		}
		return fresh
	}

	shared := replace(nil, old)
	ballots := []string{createBallot(t, shared[0], "Before?", "yes", "no"), createBallot(t, shared[0], "After?", "yes", "no")}
	l := startLoad(t, spread(shared[0]), ballots...) // all have this address
	l.more(t, 100)
	next.wantMigrate(t, "status", 1, said("missing", before+1, "columns")+"\n"+said("missing", before+2, "index"))
	began, held := time.Now(), l.slowestOf(nil)
	next.migrateTwiceAtOnce(t)
	l.more(t, 50)
	t.Logf("migrated in %v under load; the slowest vote took %v, and %v before", time.Since(began).Round(time.Millisecond),
		l.slowestOf(nil).Round(time.Millisecond), held.Round(time.Millisecond))
	next.wantMigrate(t, "status", 0, said("applied", before+2, "index"))
	newer := fmt.Sprintf("the database is newer than this binary: it has the schema %d, this release knows up to %d", before+2, before)
	old.wantMigrate(t, "status", 0, newer)
	old.wantMigrate(t, "up", 0, newer)
	old.wantMigrate(t, "down", 1, "the release that made it has to undo it")

	this, that := old.serve(t), next.serve(t)
	contested := createBallot(t, that, "Who is first?", "yes", "no")
	near, far := startViewer(t, this, contested), startViewer(t, that, contested)
	near.await(t, 1)
	far.await(t, 1)
	race(t, this, that, contested, 200).wantOneRowEach(t, old)
	watched := createBallot(t, this, "Watched?", "yes", "no")
	there := startViewer(t, that, watched)
	there.await(t, 1)
	wantLag(t, "votes on this release, by a viewer on the next", lag(t, this, watched, 5, there), time.Second)

	shared = replace(shared, next)
	l.more(t, 100)
	old.mustVerify(t)
	next.mustVerify(t)
	wantGoodEnd(t, this)

	shared = replace(shared, old)
	l.more(t, 100)
	old.wantMigrate(t, "status", 0, newer)
	wantGoodEnd(t, that)
	old.wantBothWrote(t)
	next.wantMigrate(t, "down", 0, said("undone", before+2, "index"))
	next.wantMigrate(t, "down", 0, said("undone", before+1, "columns"))
	l.more(t, 100)
	if code, out, errs := old.run(t, "migrate", "status"); code != 0 || strings.Contains(out, "newer") {
		t.Errorf("after going down the status is: %d %s%s", code, out, errs)
	}
	next.wantMigrate(t, "status", 1, said("missing", before+1, "columns"))
	l.wantAllCounted(t, old, shared[0])
	if l.answers["500 internal"] > 0 || l.answers["503 store_unavailable"] > 0 {
		t.Errorf("a migration showed: %v", l.answers)
	}
	wantGoodEnd(t, shared...)
}

// wantMigrate runs `migrate` with an argument and wants its exit code, and the
// text in what it says.
func (c *cluster) wantMigrate(t *testing.T, arg string, code int, text string) {
	t.Helper()
	got, out, errs := c.run(t, "migrate", arg)
	if got != code || !strings.Contains(out+errs, text) {
		t.Errorf("migrate %s: exit code %d, want %d and %q:\n%s%s", arg, got, code, text, out, errs)
	}
}

// migrateTwiceAtOnce has two operators migrate at the same moment: one works,
// the other waits and finds it done.
func (c *cluster) migrateTwiceAtOnce(t *testing.T) {
	t.Helper()
	var both sync.WaitGroup
	var told [2]string
	for i := range told {
		both.Go(func() {
			code, out, errs := c.run(t, "migrate", "up")
			if code != 0 {
				t.Errorf("migrate up: exit code %d: %s%s", code, out, errs)
			}
			told[i] = out
		})
	}
	both.Wait()
	for _, name := range []string{"columns", "index"} {
		if strings.Count(told[0]+told[1], "_"+name+".sql\n") != 1 {
			t.Errorf("%s was not applied once: %q", name, told)
		}
	}
}

// said is a line that tells of a migration.
func said(what string, number int, name string) string {
	return fmt.Sprintf("%s %d  %04d_%s.sql", what, number, number, name)
}

// newestMigration returns the number of this release's last migration.
func newestMigration(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("../../migrations/postgres/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	return len(files)
}

// buildNext builds what might be the next release: this one with two more
// migrations, that writes a column which this one doesn't know.
func buildNext(t *testing.T) program {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replaced, n := map[string]string{}, newestMigration(t)
	for i, name := range []string{"columns", "index"} {
		file := fmt.Sprintf("migrations/postgres/%04d_%s.sql", n+1+i, name)
		replaced[filepath.Join(root, file)] = filepath.Join(root, "migrations/testdata/next", name+".sql")
	}
	const queries, inserts = "persistence/postgres/queries.go", "insert into votes (ballot, ` + voteColumns + `)\n\t\tselect "
	text, err := os.ReadFile(filepath.Join(root, queries))
	if err != nil || strings.Count(string(text), inserts) != 1 {
		t.Fatalf("the statement that inserts votes is not in %s as this test knows it: %v", queries, err)
	}
	changed := strings.Replace(string(text), inserts, "insert into votes (channel, ballot, ` + voteColumns + `)\n\t\tselect 'next', ", 1)
	dir := t.TempDir()
	replaced[filepath.Join(root, queries)] = filepath.Join(dir, "queries.go")
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"queries.go": []byte(changed), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := program(filepath.Join(dir, "oponn-next"))
	if err := next.build("-overlay", filepath.Join(dir, "overlay.json")); err != nil {
		t.Fatal(err)
	}
	return next
}

// wantBothWrote wants votes of both releases in the database.
func (c *cluster) wantBothWrote(t *testing.T) {
	t.Helper()
	by := map[string]int{}
	c.query(t, "select coalesce(channel, 'this'), count(*) from votes group by 1", func(row pgx.Rows) error {
		var channel string
		var n int
		err := row.Scan(&channel, &n)
		by[channel] = n
		return err
	})
	t.Logf("votes written by this and by the next release: %v", by)
	if by["this"] == 0 || by["next"] == 0 {
		t.Errorf("votes were written by %v, want both releases", by)
	}
}
