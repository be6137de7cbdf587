//go:build !linux

package main

import "time"

// useHugePages has nothing to do here.
func useHugePages(time.Duration) (already bool) { return true }
