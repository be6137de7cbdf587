// Package yardstick is what Oponn is measured against: benchmarks that run the
// real server and others beside it, each in a process of its own, with the
// same clients in one run. Read the ratios, not the figures.
package yardstick
