//go:build !linux

package monotonic

import "time"

func machine() int64 { return time.Now().UnixNano() }
