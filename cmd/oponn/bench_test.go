package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn/cmd/oponn/bench/report"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// loadTest runs the load tester to its end and returns its report.
func loadTest(t *testing.T, args ...string) (code int, r *report.Report, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	code, stdout, stderr = oponn(t, filepath.Join(t.TempDir(), "data"), nil, append([]string{"bench", "--json", file}, args...)...)
	text, err := os.Open(file)
	if err != nil {
		return code, nil, stdout, stderr
	}
	defer text.Close()
	if r, err = report.Read(text); err != nil {
		t.Fatal(err)
	}
	return code, r, stdout, stderr
}

// TestBench_Self starts a server, tests it by the API, and leaves nothing.
func TestBench_Self(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "report.html")
	code, r, stdout, stderr := loadTest(t, "--self", "--votes", "300", "--connections", "16", "--ballots", "3", "--hot-share", "0.5",
		"--repeats", "0.2", "--viewers", "30", "--processes", "2", "--join", "100ms", "--html", page, "--max-lost", "0", "--max-p99", "1m")
	if code != 0 || r == nil {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if v := r.Votes; v.Acknowledged != 300 || v.Unknown+v.GivenUp != 0 || v.Repeats == 0 {
		t.Errorf("votes %+v", v)
	}
	if c := r.Checks; c != (report.Checks{Counted: 300}) {
		t.Errorf("checks %+v", c)
	}
	if v := r.Viewers; v.Joined != 30 || v.Watching != 30 || v.Processes != 2 || r.Screen == nil || r.Screen.Count != 10*300 {
		t.Errorf("viewers %+v, screen %+v", v, r.Screen)
	}
	if len(r.Servers) != 1 || r.Servers[0].MemoryEnd == 0 {
		t.Errorf("servers %+v", r.Servers)
	}
	if !strings.Contains(stdout, "vote to screen") || !strings.Contains(stderr, "vote: ") && !strings.Contains(stderr, "prepare: ") {
		t.Errorf("it said %s%s", stdout, stderr)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "</html>") {
		t.Errorf("the page: %v", err)
	}
}

// TestBench_SelfWithPostgres makes a database of its own beside the given one.
func TestBench_SelfWithPostgres(t *testing.T) {
	t.Parallel()
	given := pgtest.URL(t)
	code, r, stdout, stderr := loadTest(t, "--self", "--database", given, "--votes", "50", "--connections", "4", "--max-lost", "0")
	if code != 0 || r == nil || r.Votes.Acknowledged != 50 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	c := &cluster{database: given}
	for what, count := range map[string]string{
		"ballots in the given database": "select count(*) from ballots",
		"databases left behind":         "select count(*) from pg_database where datname like 'oponn_bench_%'",
	} {
		n := -1
		c.query(t, count, func(rows pgx.Rows) error { return rows.Scan(&n) })
		if n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	code, _, _, stderr = loadTest(t, "--self", "--database", "postgres://nobody@127.0.0.1:1/none")
	if code != 1 || !strings.Contains(stderr, "can't be made") {
		t.Errorf("without a Postgres: exit code %d: %s", code, stderr)
	}
}

// TestBench_AgainstAServer votes by forms, watches pages, and is held to
// thresholds.
func TestBench_AgainstAServer(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	ballot := createBallot(t, s, "By form?", "yes", "no")
	castVotes(t, s, ballot, 5)
	code, r, stdout, stderr := loadTest(t, s.url, "--form", "--pages", "--ballot", ballot, "--votes", "60", "--connections", "4", "--viewers", "10", "--max-lost", "0")
	if code != 0 || r == nil {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if c := r.Checks; c != (report.Checks{Counted: 60}) || r.Votes.Acknowledged != 60 || r.Votes.Page.Count != 60 || r.Screen.Count != 600 {
		t.Errorf("checks %+v, votes %+v, screen %+v", c, r.Votes, r.Screen)
	}
	if votes, _ := results(t, s, ballot); votes != 65 {
		t.Errorf("%d votes on the ballot, want 65", votes)
	}

	code, r, _, stderr = loadTest(t, s.url, "--rate", "100/s", "--duration", "500ms", "--max-p99", "1ns", "--min-rate", "1000000/s")
	if code != 1 || r == nil || strings.Count(stderr, "oponn: ") != 2 {
		t.Errorf("beyond two thresholds: exit code %d\n%s", code, stderr)
	}
	s.stop(t)
	if code, r, _, stderr = loadTest(t, s.url); code != 1 || r != nil || !strings.Contains(stderr, "refused") {
		t.Errorf("without a server: exit code %d\n%s", code, stderr)
	}
}

func TestBench_Compare(t *testing.T) {
	t.Parallel()
	var files []string
	for _, rate := range []float64{100, 250} {
		file := filepath.Join(t.TempDir(), "r.json")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Report{Format: 1, Votes: &report.Votes{PerSecond: rate}}
		if err := r.Write(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		files = append(files, file)
	}
	code, stdout, stderr := oponn(t, t.TempDir(), nil, "bench", "compare", files[0], files[1])
	if code != 0 || !strings.Contains(stdout, "2.50") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := oponn(t, t.TempDir(), nil, "bench", "compare", files[0], bad); code != 1 || !strings.Contains(stderr, bad) {
		t.Errorf("with something else: exit code %d: %s", code, stderr)
	}
}

func TestBench_BadUse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		code int
		said string
	}{
		"Nothing":   {code: 2, said: "--self"},
		"Both":      {args: []string{"--self", "http://127.0.0.1:1"}, code: 2, said: "either"},
		"Foreign":   {args: []string{"http://192.0.2.1"}, code: 1, said: "--i-own-this"},
		"Path":      {args: []string{"http://127.0.0.1:1/path"}, code: 1, said: "scheme and host"},
		"Rate":      {args: []string{"http://127.0.0.1:1", "--rate", "fast"}, code: 2, said: "5000/s"},
		"TooMany":   {args: []string{"http://127.0.0.1:1", "--connections", "1000000"}, code: 1, said: "connections"},
		"Idle":      {args: []string{"http://127.0.0.1:1", "--connections", "0"}, code: 1, said: "nothing to do"},
		"OneOption": {args: []string{"http://127.0.0.1:1", "--options", "1"}, code: 1, said: "options"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := oponn(t, t.TempDir(), nil, append([]string{"bench"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.said) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, want %d: %s", code, test.code, stderr)
			}
		})
	}
}
