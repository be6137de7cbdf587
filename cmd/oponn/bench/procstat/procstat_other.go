//go:build !linux

package procstat

import "time"

// Read returns what a process and its descendants use.
func Read(int) (Usage, error) { return Usage{}, ErrUnsupported }

// Anonymous returns the anonymous memory of a process and its descendants.
func Anonymous(int) (int64, error) { return 0, ErrUnsupported }

// Self returns the CPU time of this process.
func Self() time.Duration { return 0 }

// OpenFiles returns how many files this process may have open.
func OpenFiles() int { return 1024 }
