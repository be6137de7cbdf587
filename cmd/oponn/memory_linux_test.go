package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user without rights.
const nobody = 65534

// unprivileged returns the program as one that runs without rights: who is root
// sees no difference between what root alone may read and what everybody may.
func unprivileged(t *testing.T) program {
	t.Helper()
	if os.Getuid() != 0 {
		return binary
	}
	dir := t.TempDir()
	for _, open := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(string(binary))
	if err != nil {
		t.Fatal(err)
	}
	moved, script := filepath.Join(dir, "oponn"), filepath.Join(dir, "unprivileged")
	if err := os.WriteFile(moved, text, 0o755); err != nil {
		t.Fatal(err)
	}
	become := fmt.Sprintf("#!/bin/sh\nexec setpriv --reuid=%d --regid=%d --clear-groups %s \"$@\"\n", nobody, nobody, moved)
	if err := os.WriteFile(script, []byte(become), 0o755); err != nil {
		t.Fatal(err)
	}
	return program(script)
}

// peek has another process of the server's user read one of its files in
// /proc, and returns what is wrong with that.
func peek(t *testing.T, s *server, file string) error {
	t.Helper()
	look := exec.CommandContext(t.Context(), "head", "-c", "1", fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, file))
	if os.Getuid() == 0 {
		look.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if out, err := look.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// owner returns who owns the memory of a process: its user, or root where it
// must not be dumped.
func owner(t *testing.T, s *server) uint32 {
	t.Helper()
	info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// freePort returns an address that was free a moment ago. One that is reserved
// is not for other users than the one who reserved it.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// noCores matches the limits of a process that may not write a core.
var noCores = regexp.MustCompile(`(?m)^Max core file size +0 +0 `)

// TestServe_KeepsItsMemory looks from outside into a server in production,
// where it has to see nothing, and into one in development, where that is
// allowed: so that this test sees what there is to see.
func TestServe_KeepsItsMemory(t *testing.T) {
	c := newCluster(t)
	c.program = unprivileged(t)
	production := c.serveOn(t, freePort(t))
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", production.cmd.Process.Pid))
	if err != nil || !noCores.Match(limits) {
		t.Errorf("the limits are not those of a process without cores: %v\n%s", err, limits)
	}
	if uid := owner(t, production); uid != 0 {
		t.Errorf("the memory belongs to user %d: it may be dumped", uid)
	}
	for _, file := range []string{"environ", "maps", "auxv"} {
		if err := peek(t, production, file); err == nil {
			t.Errorf("another process of the same user reads %s", file)
		}
	}
	wantProfiles(t, production)
	castVotes(t, production, createBallot(t, production, "Inside?", "yes", "no"), 3)
	production.stop(t)

	dir := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	development := c.program.serve(t, dir)
	if uid := owner(t, development); uid == 0 {
		t.Error("in development the memory belongs to root as well: the test proves nothing")
	}
	if err := peek(t, development, "environ"); err != nil {
		t.Errorf("in development nobody sees the environment either: the test proves nothing: %v", err)
	}
	wantProfiles(t, development)
	development.stop(t)
}

// wantProfiles wants the profiles of a server that reads its own /proc for
// them: with the names of the files that it runs.
func wantProfiles(t *testing.T, s *server) {
	t.Helper()
	for _, profile := range []string{"heap", "goroutine"} {
		status, body := fetch(t, s.ops+"/debug/pprof/"+profile)
		unzip, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: status %d: %v", profile, status, err)
		}
		text, err := io.ReadAll(unzip)
		if err != nil || !bytes.Contains(text, []byte("/oponn")) {
			t.Errorf("%s: no program is named in %d bytes: %v", profile, len(text), err)
		}
	}
}
