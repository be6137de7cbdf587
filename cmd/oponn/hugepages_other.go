//go:build !linux

package main

import "time"

// useHugePages does nothing here.
func useHugePages(time.Duration) {}
