package redistest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// watchdog starts a server and waits on its own standard input, a pipe that
// nobody writes to: it ends when the test process closes it, or ends, however
// that happens. Then the server and its folder go too.
const watchdog = `dir=$1; shift
"$@" >"$dir/log" 2>&1 &
server=$!
trap '' INT TERM HUP
read -r _
kill -9 "$server"
wait "$server" 2>/dev/null
rm -rf "$dir"`

func findBinary() (string, error) { return exec.LookPath("redis-server") }

// launchProcess starts the redis-server of this machine.
func launchProcess(port int, args []string) (stop func(), err error) {
	binary, err := findBinary()
	if err != nil {
		return nil, errNone
	}
	dir, err := os.MkdirTemp("", "oponn-redis-")
	if err != nil {
		return nil, err
	}
	args = append([]string{"-c", watchdog, "redistest", dir, binary, "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", dir}, args...)
	cmd := exec.CommandContext(context.Background(), "/bin/sh", args...)
	// A group of its own: an interrupt from the keyboard is for the tests.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	keep(alive)
	return func() {
		_ = alive.Close()
		_ = cmd.Wait()
	}, nil
}

// kept holds the pipes, which would end their servers when collected.
var (
	keeping sync.Mutex
	kept    []io.Closer
)

func keep(pipe io.Closer) {
	keeping.Lock()
	defer keeping.Unlock()
	kept = append(kept, pipe)
}
