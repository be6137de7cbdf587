//go:build !linux

package main

// keepMemory does nothing here: production is on Linux.
func keepMemory() error { return nil }
