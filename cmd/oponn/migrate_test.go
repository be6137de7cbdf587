package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// TestMigrate_Postgres begins with an empty database.
func TestMigrate_Postgres(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	url := []string{"DATABASE_URL=" + pgtest.EmptyURL(t)}
	for _, step := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"migrate status", 1, "missing 1  ", ""},
		{"migrate up", 0, "applied 1  ", ""},
		{"migrate up", 0, "the schema is up to date", ""},
		{"migrate status", 0, "applied 1  ", ""},
		{"migrate down", 0, "undone 4  0004_join_codes.sql\na server of this release would apply it again when it starts: go on with the older one\n", ""},
		{"migrate down", 0, "undone 3  0003_rules.sql\n", ""},
		{"migrate down", 0, "undone 2  0002_fences.sql\n", ""},
		{"migrate status", 1, "applied 1  ", ""},
		{"migrate down", 2, "", "undoing 0001_ballots.sql would destroy every ballot with its votes, its results and its wrapped key. Nothing was changed"},
		{"migrate status", 1, "applied 1  ", ""},
		{"migrate up", 0, "applied 2  ", ""},
		{"migrate down", 0, "undone 4  ", ""},
		{"migrate down", 0, "undone 3  ", ""},
		{"migrate down", 0, "undone 2  ", ""},
		{"migrate down --drop-data", 0, "undone 1  0001_ballots.sql", ""},
		{"migrate down --drop-data", 1, "", "oponn: no migration is applied: there is nothing to undo\n"},
		{"migrate status", 1, "missing 1  ", ""},
		{"migrate up", 0, "applied 1  ", ""},
	} {
		code, out, errs := oponn(t, dir, url, strings.Fields(step.args)...)
		if code != step.code || !strings.HasPrefix(out, step.out) || !strings.Contains(errs, step.err) {
			t.Errorf("%s: %d, want %d, %q and %q; got:\n%s%s", step.args, code, step.code, step.out, step.err, out, errs)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a data directory was made")
	}
}

func TestMigrate_SQLite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, _ := oponn(t, dir, nil, "migrate", "status"); code != 1 {
		t.Errorf("status of nothing: exit code %d, want 1", code)
	}
	if code, _, errs := oponn(t, dir, nil, "migrate", "down", "--drop-data"); code != 1 || !strings.Contains(errs, "OPONN_DATA_DIR") {
		t.Errorf("down from nothing: exit code %d, want 1: %s", code, errs)
	}
	for _, step := range []struct {
		args string
		code int
		out  string
	}{
		{"migrate up", 0, "the schema is up to date\n"},
		{"migrate up", 0, "the schema is up to date\n"},
		{"migrate status", 0, "applied 1  0001_ballots.sql"},
		{"migrate down", 0, "undone 3  0003_join_codes.sql"},
		{"migrate down", 0, "undone 2  0002_rules.sql"},
		{"migrate down", 2, ""},
		{"migrate status", 1, "applied 1  "},
		{"migrate down --drop-data", 0, "undone 1  0001_ballots.sql"},
		{"migrate down --drop-data", 1, ""},
		{"migrate status", 1, "missing 1  "},
	} {
		if code, out, errs := oponn(t, dir, nil, strings.Fields(step.args)...); code != step.code || !strings.HasPrefix(out, step.out) {
			t.Errorf("%s: %d, want %d and %q; got:\n%s%s", step.args, code, step.code, step.out, out, errs)
		}
	}
}

// TestMigrate_DownBesideAServer wants a server's database left alone.
func TestMigrate_DownBesideAServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dir)
	ballot := createBallot(t, s, "Down?", "yes", "no")
	castVotes(t, s, ballot, 3)
	if code, out, errs := oponn(t, dir, nil, "migrate", "down", "--drop-data"); code != 1 || out != "" || !strings.Contains(errs, "another oponn serve (pid ") {
		t.Errorf("down: %d %s%s", code, out, errs)
	}
	if code, out, errs := oponn(t, dir, nil, "migrate", "status"); code != 0 {
		t.Errorf("status: %d %s%s", code, out, errs)
	}
	castVotes(t, s, ballot, 1)
	s.stop(t)
	if code, out, errs := oponn(t, dir, nil, "verify"); code != 0 || !strings.Contains(out, "votes 4") {
		t.Errorf("verify: %d %s%s", code, out, errs)
	}
}
