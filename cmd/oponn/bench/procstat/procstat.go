// Package procstat tells what processes of this machine use.
package procstat

import (
	"errors"
	"time"
)

// Usage is what a process and its descendants have used.
type Usage struct {
	// CPU is user and system time, also of children that have ended.
	CPU time.Duration
	// Memory is what resides in memory in bytes, with pages that processes
	// share divided among them where the system tells.
	Memory int64
	// Anonymous is the part of Memory in bytes that no file and no other process
	// is behind, such as heaps.
	Anonymous int64
	// Name is the command's.
	Name string
}

// ErrUnsupported says that this system doesn't tell.
var ErrUnsupported = errors.New("procstat: this system does not tell what other processes use")
