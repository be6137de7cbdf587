//go:build !linux

package main

// forbidCoreDumps does nothing here: production is Linux.
func forbidCoreDumps() error { return nil }
