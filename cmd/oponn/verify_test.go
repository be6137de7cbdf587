package main_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver" // to damage databases

	domain "github.com/oponn/oponn"
)

// mustVerify verifies a data directory; every ballot has to have the word.
func mustVerify(t *testing.T, dataDir, word string) {
	t.Helper()
	code, stdout, stderr := oponn(t, dataDir, nil, "verify")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, word+" ") {
			t.Errorf("verify: %s", line)
		}
	}
	if code != 0 || len(lines) < 2 || !strings.HasSuffix(lines[len(lines)-1], "  wrong 0") {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestVerify_BesideARunningServer(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dataDir)
	ballots := []string{createBallot(t, s, "Busy?", "yes", "no"), createBallot(t, s, "Busy as well?", "yes", "no")}
	c := startCrowd(t, s, ballots)
	for n := range 3 {
		eventually(t, "more votes", func() bool { return c.count() >= 50*(n+1) })
		mustVerify(t, dataDir, "ok")
	}
	s.stop(t)
}

func TestVerify_Arguments(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dataDir)
	first, second := createBallot(t, s, "First?", "yes", "no"), createBallot(t, s, "Second?", "yes", "no")
	castVotes(t, s, first, 3)
	s.stop(t)
	nothing := filepath.Join(t.TempDir(), "nothing")
	for name, tt := range map[string]struct {
		dataDir  string
		settings []string
		args     []string
		code     int
		out, err string
	}{
		"All":       {dataDir: dataDir, out: "sum  ballots 2  votes 3  deleted 0  wrong 0"},
		"One":       {dataDir: dataDir, args: []string{first}, out: "ok   " + first + "  version 4  votes 3\nsum  ballots 1 "},
		"TheOther":  {dataDir: dataDir, args: []string{second}, out: "ok   " + second + "  version 1  votes 0\nsum  ballots 1 "},
		"Unknown":   {dataDir: dataDir, args: []string{domain.NewBallotID().String()}, code: 1, out: "there is no such ballot"},
		"Malformed": {dataDir: dataDir, args: []string{"nonsense"}, code: 2, err: "is no id of a ballot"},
		"TooMany":   {dataDir: dataDir, args: []string{first, second}, code: 2, err: "unexpected argument"},
		"NoData":    {dataDir: nothing, code: 1, err: "OPONN_DATA_DIR"},
		"Postgres":  {dataDir: dataDir, settings: []string{"DATABASE_URL=mysql://db/oponn"}, code: 2, err: "DATABASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := oponn(t, tt.dataDir, tt.settings, append([]string{"verify"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stdout, tt.out) || !strings.Contains(stderr, tt.err) {
				t.Errorf("exit code %d, want %d, %q and %q; got:\n%s%s", code, tt.code, tt.out, tt.err, stdout, stderr)
			}
		})
	}
	if _, err := os.Stat(nothing); err == nil {
		t.Error("verify made a data directory")
	}
}

// TestVerify_Tampering changes what lies on the disk, in every way that a
// thief of the database could, and wants each found and named.
func TestVerify_Tampering(t *testing.T) {
	t.Parallel()
	original := filepath.Join(t.TempDir(), "data")
	s := serve(t, original)
	victim, bystander := createBallot(t, s, "Victim?", "yes", "no"), createBallot(t, s, "Bystander?", "yes", "no")
	castVotes(t, s, victim, 5)
	castVotes(t, s, bystander, 5)
	s.stop(t)
	id, err := domain.ParseBallotID(victim)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ statement, says string }{
		"Count":        {"UPDATE heads SET voters = voters + 1 WHERE ballot = ?1", "voters: 5 in the log, 6 in the head"},
		"Position":     {"UPDATE heads SET position = position + 1 WHERE ballot = ?1", "last position: 5 in the log, 6 in the head"},
		"Version":      {"UPDATE heads SET version = version + 1 WHERE ballot = ?1", "its result can't be opened"},
		"StateSeal":    {"UPDATE heads SET sealed = zeroblob(length(sealed)) WHERE ballot = ?1", "its result can't be opened"},
		"OthersState":  {"UPDATE heads SET sealed = (SELECT sealed FROM heads WHERE ballot <> ?1) WHERE ballot = ?1", "its result can't be opened"},
		"LastVote":     {"DELETE FROM votes WHERE ballot = ?1 AND position = 5", "last position: 4 in the log, 5 in the head"},
		"MiddleVote":   {"DELETE FROM votes WHERE ballot = ?1 AND position = 3", "position 4 follows 2"},
		"AllVotes":     {"DELETE FROM votes WHERE ballot = ?1", "voters: 0 in the log, 5 in the head"},
		"VoteSeal":     {"UPDATE votes SET sealed = zeroblob(length(sealed)) WHERE ballot = ?1 AND position = 2", "the vote at position 2 is wrong"},
		"VotesSwapped": {"UPDATE votes SET sealed = (SELECT sealed FROM votes WHERE ballot = ?1 AND position = 1) WHERE ballot = ?1 AND position = 2", "the vote at position 2 is wrong"},
		"VoteID":       {"UPDATE votes SET vote_id = zeroblob(16) WHERE ballot = ?1 AND position = 4", "the vote at position 4 is wrong"},
		"Voter":        {"UPDATE votes SET tag = zeroblob(16) WHERE ballot = ?1 AND position = 1", "the vote at position 1 is wrong"},
		"Definition":   {"UPDATE ballots SET definition = (SELECT definition FROM ballots WHERE id <> ?1) WHERE id = ?1", "its definition can't be opened"},
		"Key":          {"UPDATE ballots SET wrapped_dek = (SELECT wrapped_dek FROM ballots WHERE id <> ?1) WHERE id = ?1", "its key can't be opened"},
		"Commitment":   {"UPDATE ballots SET commitment = zeroblob(32) WHERE id = ?1", "its key can't be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			dataDir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dataDir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dataDir, "master.key"), 0o600); err != nil {
				t.Fatal(err)
			}
			change(t, filepath.Join(dataDir, "oponn.db"), tt.statement, id[:])
			code, stdout, stderr := oponn(t, dataDir, nil, "verify")
			if code != 1 || !strings.Contains(stdout, "BAD  "+victim) || !strings.Contains(stdout, tt.says) {
				t.Errorf("exit code %d, want 1 and %q; got:\n%s%s", code, tt.says, stdout, stderr)
			}
			if !strings.Contains(stdout, "ok   "+bystander) || !strings.Contains(stdout, "ballots 2 ") || !strings.Contains(stdout, "wrong 1") {
				t.Errorf("want the other ballot to be fine; got:\n%s", stdout)
			}
		})
	}
}

// change changes rows of a database, at least one.
func change(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("changed %d rows: %v", n, err)
	}
}
