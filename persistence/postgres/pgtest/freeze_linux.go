package pgtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Freeze stops all processes of the server where they are, as when its machine
// hangs: connections stay open and say nothing. It ends with Thaw, at the latest
// with the test.
func (s *Server) Freeze(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() { s.Thaw(tb) })
	s.all(tb, syscall.SIGSTOP)
}

// Thaw lets a frozen server go on as if nothing had happened.
func (s *Server) Thaw(tb testing.TB) {
	tb.Helper()
	s.all(tb, syscall.SIGCONT)
}

// all sends a signal to the server's first process, which then makes no more of
// them, and to its children.
func (s *Server) all(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := syscall.Kill(s.PID(), signal); err != nil {
		tb.Fatalf("signal Postgres: %v", err)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …
		_, rest, _ := bytes.Cut(text, []byte(") "))
		if fields := bytes.Fields(rest); len(fields) > 1 && string(fields[1]) == strconv.Itoa(s.PID()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			_ = syscall.Kill(pid, signal) // it may have ended
		}
	}
}
