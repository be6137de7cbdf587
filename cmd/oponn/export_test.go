package main_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	domain "github.com/oponn/oponn"
)

func TestExport_BesideARunningServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dataDir, file := filepath.Join(dir, "data"), filepath.Join(dir, "votes.csv")
	s := serve(t, dataDir)
	ballot := createBallot(t, s, "Export?", "yes", "no")
	castVotes(t, s, ballot, 21)

	code, stdout, stderr := oponn(t, dataDir, nil, "export", ballot, "--what", "votes", "-o", file)
	if code != 0 || stdout != "" {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	table := readTable(t, file)
	counts := map[string]int{}
	for _, row := range table[1:] {
		counts[row[2]]++
	}
	if len(table) != 22 || counts["yes"] != 11 || counts["no"] != 10 {
		t.Errorf("the votes are %q", table)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}

	code, stdout, stderr = oponn(t, dataDir, nil, "export", ballot, "--format", "json")
	if _, want := fetch(t, s.url+"/api/v1/ballots/"+ballot+"/results"); code != 0 || strings.TrimSpace(stdout) != strings.TrimSpace(want) {
		t.Errorf("exit code %d, got\n%s%s\nthe server says\n%s", code, stdout, stderr, want)
	}
	code, stdout, stderr = oponn(t, dataDir, nil, "export", ballot, "--what", "votes", "--format", "json")
	var all struct{ Cast []any }
	if err := json.Unmarshal([]byte(stdout), &all); code != 0 || err != nil || len(all.Cast) != 21 {
		t.Errorf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	code, stdout, stderr = oponn(t, dataDir, nil, "export", ballot)
	if _, want := fetch(t, s.url+"/api/v1/ballots/"+ballot+"/results.csv"); code != 0 || stdout != want {
		t.Errorf("exit code %d, got\n%s%s\nthe server says\n%s", code, stdout, stderr, want)
	}
	s.stop(t)
}

func readTable(t *testing.T, file string) [][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestExport_Arguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dataDir := filepath.Join(dir, "data")
	s := serve(t, dataDir)
	ballot, gone := createBallot(t, s, "Here?", "yes", "no"), createBallot(t, s, "Gone?", "yes", "no")
	s.stop(t)
	if code, stdout, stderr := oponn(t, dataDir, nil, "takedown", gone); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"Malformed": {[]string{"nonsense"}, 2, "is no id of a ballot"},
		"Unknown":   {[]string{domain.NewBallotID().String()}, 1, "there is no ballot"},
		"Deleted":   {[]string{gone}, 1, "was deleted"},
		"Format":    {[]string{ballot, "--format", "xls"}, 2, "--format"},
		"What":      {[]string{ballot, "--what", "voters"}, 2, "--what"},
		"NoFolder":  {[]string{ballot, "-o", filepath.Join(dir, "nothing", "file")}, 1, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := oponn(t, dataDir, nil, append([]string{"export"}, tt.args...)...)
			if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.err) {
				t.Errorf("exit code %d, want %d and %q; got:\n%s%s", code, tt.code, tt.err, stdout, stderr)
			}
		})
	}
}

func TestTexts_OfTheOperators(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	imprint := filepath.Join(dir, "imprint.txt")
	if err := os.WriteFile(imprint, []byte("Ada Lovelace, London\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(dir, "data"), "OPONN_IMPRINT_FILE="+imprint, "OPONN_REPORT_TO=mailto:abuse@example.org")
	if status, body := fetch(t, s.url+"/imprint"); status != http.StatusOK || !strings.Contains(body, "Ada Lovelace, London") {
		t.Errorf("the imprint answers %d %s", status, body)
	}
	ballot := createBallot(t, s, "Fine?", "yes", "no")
	if status, body := fetch(t, s.url+"/ballots/"+ballot+"/report"); status != http.StatusOK || !strings.Contains(body, "abuse@example.org") {
		t.Errorf("the form for reports answers %d %s", status, body)
	}
	s.stop(t)
}
