package main_test

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServe_Answers(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	for path, want := range map[string]int{"/": http.StatusOK, "/new": http.StatusOK, "/nothing": http.StatusNotFound} {
		if status, _ := fetch(t, s.url+path); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	if status, body := fetch(t, s.ops+"/readyz"); status != http.StatusOK || !strings.Contains(body, "store: ok") {
		t.Errorf("readyz: %d %q", status, body)
	}
	if status, _ := fetch(t, s.url+"/readyz"); status != http.StatusNotFound {
		t.Errorf("readyz for the world: %d, want 404", status)
	}
	if banner := s.stdout.String(); !strings.Contains(banner, s.url) || !strings.Contains(banner, s.ops) || strings.Contains(banner, "\x1b") {
		t.Errorf("banner without addresses, or in colour without a terminal:\n%s", banner)
	}
	s.stop(t)
}

// TestServe_KeepsWhatItAcknowledged ends a server while people vote and watch,
// brings it back, and sends all votes again: those that were acknowledged have
// to be there, with the same receipt, and every vote counts once.
func TestServe_KeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"Terminated": syscall.SIGTERM, "Killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dataDir := filepath.Join(t.TempDir(), "data")
			s := serve(t, dataDir)
			ballots := []string{createBallot(t, s, "Hot?", "yes", "no"), createBallot(t, s, "Or not?", "yes", "no")}
			streamed := watch(t, s, ballots[0])
			c := startCrowd(t, s, ballots)
			eventually(t, "300 votes", func() bool { return c.count() >= 300 })
			s.signal(t, sig)
			code := s.awaitExit(t)
			c.voting.Wait()
			stream := <-streamed
			if sig == syscall.SIGTERM {
				if code != 0 {
					t.Errorf("exit code %d, want 0", code)
				}
				if !strings.Contains(stream, `"reason":"draining"`) {
					t.Errorf("the stream did not end with a word:\n%s", lastLines(stream, 6))
				}
			}
			if len(c.refused) > 0 {
				t.Errorf("votes refused, by status: %v", c.refused)
			}

			s = serve(t, dataDir)
			sent := map[string]int{}
			for _, v := range c.votes {
				sent[v.ballot]++
				status, receipt := v.send(s)
				switch {
				case v.receipt == "" && (status == http.StatusCreated || status == http.StatusOK):
				case v.receipt != "" && status == http.StatusOK && receipt == v.receipt:
				default:
					t.Fatalf("sent again, the vote with receipt %q got %d and receipt %q", v.receipt, status, receipt)
				}
			}
			for _, ballot := range ballots {
				if votes, counted := results(t, s, ballot); votes != sent[ballot] || counted != sent[ballot] {
					t.Errorf("%d votes and a sum of %d, want %d", votes, counted, sent[ballot])
				}
			}
			t.Logf("%d votes, %d of them acknowledged before the end", len(c.votes), c.acknowledged)
			s.stop(t)
			mustVerify(t, dataDir, "ok")
		})
	}
}

// watch opens a stream and returns, when it ends, what came.
func watch(t *testing.T, s *server, ballot string) <-chan string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/ballots/"+ballot+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	streamed := make(chan string, 1)
	go func() {
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		streamed <- string(text)
	}()
	return streamed
}

func TestServe_KeepsServingWhileItDrains(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"), "OPONN_DRAIN_DELAY=1m")
	ballot := createBallot(t, s, "Still there?", "yes", "no")
	s.signal(t, syscall.SIGTERM)
	eventually(t, "unready", func() bool { return s.readiness(t) == http.StatusServiceUnavailable })
	castVotes(t, s, ballot, 2)

	s.signal(t, syscall.SIGTERM)
	begin := time.Now()
	if code := s.awaitExit(t); code == 0 {
		t.Error("exit code 0 after a second signal")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("a second signal ends at once, this took %v", took)
	}
}

func TestServe_OneForADataDirectory(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dataDir)
	code, _, stderr := oponn(t, dataDir, nil, "serve")
	if code != 1 || !strings.Contains(stderr, "pid "+strconv.Itoa(s.cmd.Process.Pid)) || !strings.Contains(stderr, strings.TrimPrefix(s.url, "http://")) {
		t.Errorf("exit code %d, want 1 and the first server named: %s", code, stderr)
	}
	if s.readiness(t) != http.StatusOK {
		t.Error("the first server was disturbed")
	}
	s.stop(t)
	serve(t, dataDir).stop(t)
}

func TestServe_PortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, setting := range []string{"OPONN_ADDR", "OPONN_OPS_ADDR"} {
		t.Run(setting, func(t *testing.T) {
			code, _, stderr := oponn(t, filepath.Join(t.TempDir(), "data"), []string{setting + "=" + l.Addr().String()})
			if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, setting) || !strings.Contains(stderr, "is taken") {
				t.Errorf("exit code %d, want 1 and one line about %s:\n%s", code, setting, stderr)
			}
		})
	}
}

func TestServe_RefusesADatabaseWithoutItsKey(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	serve(t, dataDir).stop(t)
	if err := os.Remove(filepath.Join(dataDir, "master.key")); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := oponn(t, dataDir, nil, "serve")
	if _, err := os.Stat(filepath.Join(dataDir, "master.key")); code != 1 || !strings.Contains(stderr, "master.key") || err == nil {
		t.Errorf("exit code %d, want 1 and no fresh key: %s", code, stderr)
	}
}

func TestServe_BadSettings(t *testing.T) {
	t.Parallel()
	code, _, stderr := oponn(t, t.TempDir(), []string{"OPONN_ENV=production"}, "serve")
	if code != 2 || !strings.Contains(stderr, "DATABASE_URL") {
		t.Errorf("exit code %d, want 2 and what is missing: %s", code, stderr)
	}
	if code, _, stderr := oponn(t, t.TempDir(), nil, "--no-such-flag"); code != 2 || !strings.Contains(stderr, "--no-such-flag") {
		t.Errorf("unknown flag: exit code %d, want 2: %s", code, stderr)
	}
}

// TestServe_KeepsNothingInTheClear looks for what people wrote in everything
// that a server has put on the disk, while it runs and afterwards.
func TestServe_KeepsNothingInTheClear(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dataDir)
	secrets := []string{"Xanthippe-question", "Ypsilanti-first", "Zacatecas-second", "Quetzalcoatl-write-in"}
	ballot := createBallot(t, s, secrets[0], secrets[1], secrets[2])
	castVotes(t, s, ballot, 3)
	tokens, _ := newTokens(s, 1)
	v := newVote(ballot, tokens[0], "")
	v.body = map[string]any{"write_in": secrets[3]}
	if status, _ := v.send(s); status != http.StatusCreated {
		t.Fatalf("write-in: status %d", status)
	}
	if status, page := fetch(t, s.url+"/ballots/"+ballot+"/results"); status != http.StatusOK || !strings.Contains(page, secrets[3]) {
		t.Fatalf("the result page does not show the write-in: status %d", status)
	}
	lookFor(t, dataDir, secrets)
	s.stop(t)
	lookFor(t, dataDir, secrets)
	for _, secret := range secrets {
		if strings.Contains(s.stderr.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for _, name := range []string{"master.key", "secret.key", "oponn.db", "serve.lock", "."} {
		info, err := os.Stat(filepath.Join(dataDir, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, others may touch it: %v", name, err, info.Mode())
		}
	}
	if info, err := os.Stat(filepath.Join(dataDir, "master.key")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key file has mode %v, want 0600", info.Mode())
	}
}

func lookFor(t *testing.T, dir string, secrets []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files++
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}
