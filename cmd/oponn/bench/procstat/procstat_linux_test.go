package procstat_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/procstat"
)

// TestRead_CountsChildren has a shell that works, under another one that waits.
func TestRead_CountsChildren(t *testing.T) {
	t.Parallel()
	before, err := procstat.Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if before.Memory < 1<<20 || before.Name == "" {
		t.Errorf("this process uses %+v", before)
	}
	parent := exec.CommandContext(t.Context(), "sh", "-c", "sh -c 'while :; do :; done' & wait")
	// The test's context ends before its cleanups begin: with both shells, or
	// the one below would work for ever.
	parent.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	parent.Cancel = func() error { return syscall.Kill(-parent.Process.Pid, syscall.SIGKILL) }
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parent.Wait() })
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(30 * time.Second)
	for {
		u, err := procstat.Read(parent.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if u.CPU >= 50*time.Millisecond {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("a child that works is not counted: %+v", u)
		}
	}
}

func TestRead_SaysWhenThereIsNoProcess(t *testing.T) {
	t.Parallel()
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if u, err := procstat.Read(gone.Process.Pid); err == nil {
		t.Errorf("a process that has ended uses %+v", u)
	}
	if procstat.Self() <= 0 || procstat.OpenFiles() < 64 {
		t.Errorf("this process: %v of CPU, %d files", procstat.Self(), procstat.OpenFiles())
	}
}
