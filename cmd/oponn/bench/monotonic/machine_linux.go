package monotonic

import (
	"time"

	"golang.org/x/sys/unix"
)

func machine() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return time.Now().UnixNano()
	}
	return now.Nano()
}
