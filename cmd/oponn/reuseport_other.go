//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"errors"
	"syscall"
)

const canReusePort = false

func reusePort(string, string, syscall.RawConn) error {
	return errors.New("this system can't share a port")
}
