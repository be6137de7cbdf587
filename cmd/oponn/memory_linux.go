package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// keepMemory keeps what is in memory there: keys, secrets and votes. It writes
// no core when the process crashes, neither to a file nor to a collector (which
// heeds the second alone), and lets no other process of the same user read the
// memory or the environment, by /proc or as a debugger.
func keepMemory() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("core dumps can't be switched off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("the memory can't be closed to others: %w", err)
	}
	return nil
}
