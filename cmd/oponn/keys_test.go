package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn/keys/kmstest"
)

// TestKeys_MoveIntoTheKMSAndOn begins with a key file, moves its ballots into
// the KMS with a kill -9 in the middle, and from there to another key, while a
// server runs.
func TestKeys_MoveIntoTheKMSAndOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dir)
	const ballots = 12
	var ids []string
	for range ballots {
		ids = append(ids, createBallot(t, s, "Which key?", "this one", "that one"))
	}
	s.signal(t, syscall.SIGTERM)
	<-s.exited

	kms := kmstest.Start(t)
	code, out, errs := oponn(t, dir, kms.Env(""), "keys", "init", "--alias=alias/first")
	if code != 0 || !strings.HasPrefix(out, "OPONN_KMS_KEY_ID=arn:") {
		t.Fatalf("keys init: %d %s%s", code, out, errs)
	}
	if _, again, _ := oponn(t, dir, kms.Env(""), "keys", "init", "--alias=alias/first"); again != out {
		t.Errorf("keys init once more: %s", again)
	}
	first := kms.Env("alias/first")

	// Slow, so that the end comes in the middle; then once more.
	kms.Fail(kmstest.Fault{Op: "GenerateDataKey", Delay: 60 * time.Millisecond})
	rotate := command(t, dir, first, "keys", "rotate")
	if err := rotate.Start(); err != nil {
		t.Fatal(err)
	}
	dieWith(t, rotate.Process.Pid)
	begun := kms.Calls("GenerateDataKey")
	eventually(t, "some keys have been moved", func() bool { return kms.Calls("GenerateDataKey") > begun+4 })
	_ = rotate.Process.Kill()
	_ = rotate.Wait()
	kms.Heal()
	code, out, errs = oponn(t, dir, first, "keys", "rotate")
	if code != 0 || !strings.Contains(out, "failed 0") || strings.HasPrefix(out, "rewrapped 12,") {
		t.Errorf("keys rotate after a kill: %d %s%s", code, out, errs)
	}

	// A server that knows both keys goes on while the second takes over.
	kms.CreateKey("alias/second")
	both := kms.Env("alias/second,alias/first")
	s = serve(t, dir, both...)
	if code, out, errs := oponn(t, dir, both, "keys", "rotate"); code != 0 || !strings.HasPrefix(out, "rewrapped 12,") {
		t.Errorf("keys rotate to the second: %d %s%s", code, out, errs)
	}
	for _, id := range ids {
		if status, body := fetch(t, s.url+"/api/v1/ballots/"+id); status != http.StatusOK {
			t.Errorf("ballot %s: %d %s", id, status, body)
		}
	}
	second := kms.Env("alias/second")
	if code, out, errs := oponn(t, dir, second, "verify"); code != 0 || !strings.Contains(out, "ballots 12") {
		t.Errorf("verify with the second key alone: %d %s%s", code, out, errs)
	}
	if code, out, _ := oponn(t, dir, second, "keys", "status"); code != 0 || strings.Count(out, "ballots") != 1 || !strings.Contains(out, "ballots  12 under arn:") {
		t.Errorf("keys status: %d %s", code, out)
	}
}

// TestHealth_SaysWhetherTheServerIsReady asks as a container's health check does.
func TestHealth_SaysWhetherTheServerIsReady(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := serve(t, dir)
	here := []string{"OPONN_OPS_ADDR=" + strings.TrimPrefix(s.ops, "http://")}
	if code, out, _ := oponn(t, dir, here, "health"); code != 0 || !strings.Contains(out, "ready") {
		t.Errorf("health: %d %s", code, out)
	}
	s.signal(t, syscall.SIGTERM)
	<-s.exited
	if code, _, errs := oponn(t, dir, here, "health"); code != 1 || errs == "" {
		t.Errorf("health of a server that is gone: %d %s", code, errs)
	}
}
