//go:build !linux

package reactor

import "net"

// Reactor looks after nothing here.
type Reactor struct{}

// New returns a reactor that admits nothing.
func New(Config) *Reactor { return &Reactor{} }

// Admit admits nothing.
func (*Reactor) Admit(*net.TCPConn, int, Server) *Resident { return nil }

// Close does nothing.
func (*Reactor) Close() error { return nil }

// Resident is none.
type Resident struct{}

// Wait is never called.
func (*Resident) Wait() Departure { return Departure{Err: net.ErrClosed} }

// Cut is never called.
func (*Resident) Cut() {}
