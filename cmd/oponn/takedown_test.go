package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	domain "github.com/oponn/oponn"
)

func TestTakedown_BesideARunningServer(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dataDir)
	ballot, other := createBallot(t, s, "Offensive?", "yes", "no"), createBallot(t, s, "Fine?", "yes", "no")
	castVotes(t, s, ballot, 3)
	for name, tt := range map[string]struct {
		id       string
		code     int
		out, err string
	}{
		"Malformed": {id: "nonsense", code: 2, err: "is no id of a ballot"},
		"Unknown":   {id: domain.NewBallotID().String(), code: 1, err: "there is no ballot"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := oponn(t, dataDir, nil, "takedown", tt.id)
			if code != tt.code || !strings.Contains(stdout, tt.out) || !strings.Contains(stderr, tt.err) {
				t.Errorf("exit code %d, want %d\n%s%s", code, tt.code, stdout, stderr)
			}
		})
	}
	for _, want := range []string{ballot + " is deleted\n", ballot + " had been deleted before\n"} {
		if code, stdout, stderr := oponn(t, dataDir, nil, "takedown", ballot); code != 0 || stdout != want {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	}
	eventually(t, "410", func() bool {
		got, _ := fetch(t, s.url+"/api/v1/ballots/"+ballot+"/results")
		return got == http.StatusGone
	})
	if got, body := fetch(t, s.url+"/api/v1/ballots/"+other+"/results"); got != http.StatusOK {
		t.Errorf("another ballot answers %d %s", got, body)
	}
	s.stop(t)
}
