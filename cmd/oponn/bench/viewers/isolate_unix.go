//go:build unix

package viewers

import (
	"os/exec"
	"syscall"
	"time"
)

// isolate keeps the terminal's signals from a process: it ends when its input
// does, and says its result before.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// cpu returns what this process has used, user and system.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
