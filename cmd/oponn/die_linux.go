package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps the terminal's signals from a process, which is ended in
// good order, and has the kernel end it when this one is killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
