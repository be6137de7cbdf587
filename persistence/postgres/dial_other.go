//go:build !linux

package postgres

import "syscall"

// limitUnacknowledged leaves it to the keepalives.
func limitUnacknowledged(string, string, syscall.RawConn) error { return nil }
