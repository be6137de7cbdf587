package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the file of a built program.
type program string

// binary is the program under test, built once.
var binary program

var buildFlags = []string{"-buildvcs=false"}

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oponn-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = program(filepath.Join(dir, "oponn"))
	if err := binary.build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build builds the program from these sources.
func (p program) build(flags ...string) error {
	build := exec.Command("go", slices.Concat([]string{"build"}, buildFlags, flags, []string{"-o", string(p), "."})...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build.Args, err, out)
	}
	return nil
}

// Bounds, far above what anything takes: a hurry is not what is tested.
const soon = 30 * time.Second

// lifetime bounds a process; long campaigns need more.
var lifetime = 3 * time.Minute

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// command returns the program with a data directory, the given settings and
// nothing else in its environment, in a working directory of its own.
func command(t *testing.T, dataDir string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	return binary.command(t, dataDir, settings, args...)
}

func (p program) command(t *testing.T, dataDir string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, string(p), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.Getenv("TMPDIR"),
		"OPONN_ADDR=127.0.0.1:0", "OPONN_OPS_ADDR=127.0.0.1:0", "OPONN_DATA_DIR=" + dataDir}, settings...)
	return cmd
}

// oponn runs a command to its end.
func oponn(t *testing.T, dataDir string, settings []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return binary.run(t, dataDir, settings, args...)
}

func (p program) run(t *testing.T, dataDir string, settings []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := p.command(t, dataDir, settings, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// server is a running `oponn serve`.
type server struct {
	cmd    *exec.Cmd
	stdout output
	stderr output
	exited chan struct{}
	url    string
	ops    string
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serve starts a server and returns once it is ready.
func serve(t *testing.T, dataDir string, settings ...string) *server {
	t.Helper()
	return binary.serve(t, dataDir, settings...)
}

func (p program) serve(t *testing.T, dataDir string, settings ...string) *server {
	t.Helper()
	s := p.launch(t, dataDir, settings...)
	eventually(t, "the server says where it listens", func() bool {
		s.mustRun(t)
		return s.readAddresses(dataDir)
	})
	eventually(t, "the server is ready", func() bool {
		s.mustRun(t)
		return s.readiness(t) == http.StatusOK
	})
	return s
}

// launch starts a server and returns at once.
func (p program) launch(t *testing.T, dataDir string, settings ...string) *server {
	t.Helper()
	s := &server{cmd: p.command(t, dataDir, append([]string{"OPONN_RATE_LIMITS=off"}, settings...), "serve"), exited: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.exited)
		_ = s.cmd.Wait() // the state tells
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.exited
		if t.Failed() {
			t.Logf("the server (pid %d) said:\n%s", s.cmd.Process.Pid, lastLines(s.stderr.String(), 40))
		}
	})
	forget := dieWith(t, s.cmd.Process.Pid)
	go func() {
		<-s.exited
		forget()
	}()
	return s
}

// dieWith has a process killed when the tests die without tidying up: the
// shell's input ends with them. Forget it when the process is gone.
func dieWith(t *testing.T, pid int) (forget func()) {
	t.Helper()
	watcher := exec.Command("sh", "-c", `read -r _; kill -9 "$0"`, strconv.Itoa(pid))
	if _, err := watcher.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	forget = sync.OnceFunc(func() {
		_ = watcher.Process.Kill()
		_ = watcher.Wait()
	})
	t.Cleanup(forget)
	return forget
}

var addresses = regexp.MustCompile(`^pid (\d+)\naddress (127\.0\.0\.1:[1-9]\d*)\nops (127\.0\.0\.1:[1-9]\d*)\n$`)

// served is the line of the log that says where a server in production listens.
var served = regexp.MustCompile(`"msg":"serving".*"address":"(127\.0\.0\.1:[1-9]\d*)","ops":"(127\.0\.0\.1:[1-9]\d*)"`)

// banner is the same for people, in development.
var banner = regexp.MustCompile(`(?s)here +(http://127\.0\.0\.1:[1-9]\d*)\n.*ops +(http://127\.0\.0\.1:[1-9]\d*)/readyz\n`)

// readAddresses reads what the server notes for others: in its data directory,
// or in what it says when it has none to itself.
func (s *server) readAddresses(dataDir string) bool {
	if found := served.FindStringSubmatch(s.stderr.String()); found != nil {
		s.url, s.ops = "http://"+found[1], "http://"+found[2]
		return true
	}
	if found := banner.FindStringSubmatch(s.stdout.String()); found != nil {
		s.url, s.ops = found[1], found[2]
		return true
	}
	text, err := os.ReadFile(filepath.Join(dataDir, "serve.lock"))
	found := addresses.FindSubmatch(text)
	if err != nil || found == nil || string(found[1]) != strconv.Itoa(s.cmd.Process.Pid) {
		return false
	}
	s.url, s.ops = "http://"+string(found[2]), "http://"+string(found[3])
	return true
}

func (s *server) mustRun(t *testing.T) {
	t.Helper()
	select {
	case <-s.exited:
		t.Fatalf("the server ended: %v", s.cmd.ProcessState)
	default:
	}
}

// readiness returns the status of /readyz, and 0 for no answer.
func (s *server) readiness(t *testing.T) int {
	t.Helper()
	status, _ := fetch(t, s.ops+"/readyz")
	return status
}

func (s *server) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// awaitExit returns the exit code, -1 for a process ended by a signal.
func (s *server) awaitExit(t *testing.T) int {
	t.Helper()
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(soon):
		t.Fatal("the server does not end")
		return 0
	}
}

// stop ends a server in good order.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if code := s.awaitExit(t); code != 0 {
		t.Fatalf("the server ended with %d, want 0", code)
	}
}

// client keeps as many connections as a crowd of voters needs.
var client = &http.Client{
	Timeout:   20 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// fetch gets a page; the status is 0 when there is no answer.
func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
