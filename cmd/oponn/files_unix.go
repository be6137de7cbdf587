//go:build unix

package main

import "syscall"

// openFiles returns how many files this process may have open. Go itself has
// raised that to the hard limit before main began (see syscall/rlimit.go).
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return unknownFiles
	}
	return uint64(limit.Cur) //nolint:unconvert // signed on some systems
}
