//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"errors"
	"os"
	"runtime"
)

// lockFile refuses: two servers on one SQLite file would each take the other's
// ballots for their own.
func lockFile(*os.File) error {
	return errors.New("files can't be locked on " + runtime.GOOS + " yet")
}
