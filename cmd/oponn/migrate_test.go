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
		{"migrate down", 2, "", "only go up"},
		{"migrate status", 0, "applied 1  ", ""},
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
	for _, what := range []string{"up", "up", "status"} {
		if code, out, errs := oponn(t, dir, nil, "migrate", what); code != 0 || out != "the schema is up to date\n" {
			t.Errorf("%s: %d %s%s", what, code, out, errs)
		}
	}
}
