//go:build !linux

package main

import "time"

// mover has nothing to do here.
type mover struct{}

func (mover) move(time.Duration, int) (settled bool) { return true }
