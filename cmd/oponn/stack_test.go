package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// TestServe_ProductionKeepsNothingHere serves with everything elsewhere.
func TestServe_ProductionKeepsNothingHere(t *testing.T) {
	c := newCluster(t)
	addr := reservePort(t)
	dir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dir, append(c.settings(), "OPONN_ADDR="+addr, "OPONN_PUBLIC_URL=http://"+addr)...)
	castVotes(t, s, createBallot(t, s, "Here?", "yes", "no"), 3)
	_, parts := fetch(t, s.ops+"/readyz")
	for _, part := range []string{"ready\n", "store: ok\n", "runtime: ok\n", "bus: ok\n", "keys: ok\n"} {
		if !strings.Contains(parts, part) {
			t.Errorf("readyz does not say %q:\n%s", part, parts)
		}
	}
	s.stop(t)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a data directory was made")
	}
	if log := s.stderr.String(); !strings.Contains(log, "the KMS has no TLS") || strings.Contains(log, c.secret) {
		t.Errorf("want a word about the KMS, and none about secrets:\n%s", log)
	}
}

// TestServe_PostgresWithAKeyFile has two servers share a key file, and refuses
// to make another one for the ballots that it opens.
func TestServe_PostgresWithAKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	settings := []string{"DATABASE_URL=" + pgtest.URL(t)}
	first, second := serve(t, dir, settings...), serve(t, dir, settings...)
	ballot := createBallot(t, first, "Shared?", "yes", "no")
	castVotes(t, first, ballot, 2)
	castVotes(t, second, ballot, 1)
	if _, err := os.Stat(filepath.Join(dir, "serve.lock")); err == nil {
		t.Error("the data directory is locked, although no database is in it")
	}
	if code, out, errs := oponn(t, dir, settings, "verify"); code != 0 || !strings.Contains(out, "ballots 1  votes 3") {
		t.Errorf("verify: %d %s%s", code, out, errs)
	}
	if code, out, errs := oponn(t, dir, settings, "keys", "status"); code != 0 || !strings.HasPrefix(out, "key      local:") || !strings.Contains(out, "ballots  1 under local:") {
		t.Errorf("keys status: %d %s%s", code, out, errs)
	}
	first.stop(t)
	second.stop(t)

	other := filepath.Join(t.TempDir(), "other")
	code, _, errs := oponn(t, other, settings, "serve")
	if _, err := os.Stat(filepath.Join(other, "master.key")); code != 1 || err == nil || !strings.Contains(errs, "master.key") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit code %d, want 1, one line and no fresh key: %s", code, errs)
	}
}
