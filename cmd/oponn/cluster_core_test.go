//go:build linux

package main_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"testing"
)

// TestCluster_NoCoreDumps looks at a server with production settings: the
// kernel dumps nothing of it, and its profiles can be had all the same.
func TestCluster_NoCoreDumps(t *testing.T) {
	s := newCluster(t).serve(t)
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("the limits are\n%s", limits)
	}
	for _, profile := range []string{"goroutine", "heap"} {
		if status, body := fetch(t, s.ops+"/debug/pprof/"+profile); status != http.StatusOK || body == "" {
			t.Errorf("the profile %s: %d, %d bytes", profile, status, len(body))
		}
	}
	wantGoodEnd(t, s)
}
