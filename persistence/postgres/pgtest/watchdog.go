package pgtest

import (
	"errors"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// script waits for the end of its input, ends the server that runs in the
// directory, if one does, and removes it all. The input is a pipe that only
// the test process holds, so that it ends with that process, however that
// ends.
const script = `cat >/dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  for stat in /proc/[0-9]*/stat; do # a frozen one can't end
    read -r child _ _ parent _ 2>/dev/null <"$stat" && [ "$parent" = "$pid" ] && kill -CONT "$child" 2>/dev/null
  done
  kill -CONT "$pid" 2>/dev/null
  kill -QUIT "$pid" 2>/dev/null
  i=0
  while kill -0 "$pid" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$0"`

// watchdog is a process that tidies up after this one.
type watchdog struct {
	process *exec.Cmd
	pipe    io.Closer
}

// watch starts a watchdog over a directory.
func watch(dir string) (*watchdog, error) {
	process := exec.Command("/bin/sh", "-c", script, dir)
	process.Dir = "/"
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	return &watchdog{process: process, pipe: pipe}, nil
}

// kept are watchdogs that nobody ends but the end of this process.
var kept sync.Map

// keep holds on to a watchdog: if it became unreachable, its pipe would be
// closed with it.
func (w *watchdog) keep() { kept.Store(w, true) }

// end lets the watchdog do its work now.
func (w *watchdog) end() error { return errors.Join(w.pipe.Close(), w.process.Wait()) }
