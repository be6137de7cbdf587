// Package monotonic tells the time that all processes of a machine share and
// that nobody sets.
package monotonic

import "time"

// origin is one moment on both clocks: that of the machine, and that of
// time.Since, which asks no kernel.
var origin, started = machine(), time.Now()

// Now returns the time in nanoseconds since some moment before this machine's
// processes started. On systems other than Linux it is the wall clock of the
// process's start, carried on.
func Now() int64 { return origin + int64(time.Since(started)) }
