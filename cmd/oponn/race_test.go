//go:build race

package main_test

// With the race detector the server is built with it too.
func init() { buildFlags = append(buildFlags, "-race") }
