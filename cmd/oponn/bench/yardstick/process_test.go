package yardstick

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take for what it does at once.
const patience = 60 * time.Second

// process is a server or a client under measurement, with its children.
type process struct {
	b   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	ops string // where Oponn's operators look
}

// launch starts a process that ends with the benchmark, or with this process.
func launch(b testing.TB, env []string, name string, args ...string) *process {
	b.Helper()
	p := &process{b: b, cmd: exec.Command(name, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	log, err := os.Create(filepath.Join(b.TempDir(), "stderr"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	p.cmd.Stderr = log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.out = bufio.NewReaderSize(out, 1<<20)
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(sync.OnceFunc(func() {
		p.stop()
		if b.Failed() {
			said, _ := os.ReadFile(log.Name())
			b.Logf("%s said:\n%.4000s", name, said)
		}
	}))
	return p
}

// play starts this test binary in another role.
func play(b testing.TB, role string, env ...string) *process {
	b.Helper()
	return launch(b, append(env, roleVariable+"="+role), os.Args[0])
}

// stop ends the process and waits for it; more than once does no harm.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// tree returns the ids of the process and its children.
func (p *process) tree() []int {
	ids := []int{p.cmd.Process.Pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", ids[0]))
	for _, file := range tasks {
		children, _ := os.ReadFile(file)
		for _, id := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(id); err == nil {
				ids = append(ids, n)
			}
		}
	}
	return ids
}

// cpu returns the processor time that the process has used.
func (p *process) cpu() time.Duration {
	p.b.Helper()
	const tick = 10 * time.Millisecond // USER_HZ
	var sum time.Duration
	for _, id := range p.tree() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		if err != nil {
			p.b.Fatal(err)
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, field := range fields[11:13] { // utime, stime
			n, err := strconv.Atoi(field)
			if err != nil {
				p.b.Fatal(err)
			}
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// rss returns the resident memory in KB.
func (p *process) rss() float64 {
	p.b.Helper()
	var sum float64
	for _, id := range p.tree() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		if err != nil {
			p.b.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
				if err != nil {
					p.b.Fatal(err)
				}
				sum += kb
			}
		}
	}
	return sum
}

// ask sends a client a command and waits for its answer.
func (p *process) ask(command any, answer any) {
	p.b.Helper()
	if err := json.NewEncoder(p.in).Encode(command); err != nil {
		p.b.Fatal(err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.b.Fatalf("no answer: %v", err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		p.b.Fatalf("answer %.200s: %v", line, err)
	}
}

// freePort returns the address of a port that nobody has.
func freePort(b testing.TB) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until a server answers.
func await(b testing.TB, url string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			b.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			answer.Body.Close()
			return
		}
		if ctx.Err() != nil {
			b.Fatalf("%s does not answer: %v", url, err)
		}
	}
}

// built is the directory of what buildOponn has built, removed at the end.
var built string

// buildOponn builds the server once for all benchmarks of a run.
var buildOponn = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "oponn-yardstick-")
	if err != nil {
		return "", err
	}
	built = dir
	file := filepath.Join(dir, "oponn")
	build := exec.Command("go", "build", "-trimpath", "-o", file, "github.com/oponn/oponn/cmd/oponn")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build oponn: %w: %s", err, said)
	}
	return file, nil
})
