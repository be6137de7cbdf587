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
	if before.Memory < 1<<20 || before.Name == "" || before.Anonymous <= 0 || before.Anonymous > before.Memory {
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

// TestAnonymous_CountsChildren has a shell start two children when it is told.
func TestAnonymous_CountsChildren(t *testing.T) {
	t.Parallel()
	parent := exec.CommandContext(t.Context(), "sh", "-c", "echo; read go; sleep 60 & sleep 60 & echo; wait")
	parent.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	parent.Cancel = func() error { return syscall.Kill(-parent.Process.Pid, syscall.SIGKILL) }
	input, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parent.Wait() })
	anonymous := func() int64 {
		t.Helper()
		if _, err := output.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		n, err := procstat.Anonymous(parent.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	alone := anonymous()
	if _, err := input.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	if all := anonymous(); alone <= 0 || all < alone*3/2 {
		t.Errorf("alone it has %d bytes, with two children %d", alone, all)
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
