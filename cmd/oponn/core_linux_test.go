package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

const undumpable = "OPONN_TEST_UNDUMPABLE"

// What forbids dumps can't be undone, and children inherit it: a process of its
// own tries it.
func init() {
	if os.Getenv(undumpable) == "" {
		return
	}
	err := forbidCoreDumps()
	var limit unix.Rlimit
	limitErr := unix.Getrlimit(unix.RLIMIT_CORE, &limit)
	dumpable, dumpErr := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	fmt.Println(err, limitErr, limit.Cur, limit.Max, dumpErr, dumpable)
	os.Exit(0)
}

func TestForbidCoreDumps(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), undumpable+"=1")
	if out, err := cmd.Output(); err != nil || string(out) != "<nil> <nil> 0 0 <nil> 0\n" {
		t.Errorf("%v: %s", err, out)
	}
}
