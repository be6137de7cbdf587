//go:build !linux

package reactor

import "net"

// Reactor looks after nothing here.
type Reactor struct{}

// New returns a reactor that admits nothing.
func New(Config) *Reactor { return &Reactor{} }

// Admit admits nothing.
func (*Reactor) Admit(*net.TCPConn, Terms, Server) *Resident { return nil }

// Close does nothing.
func (*Reactor) Close() error { return nil }

// Resident is none.
type Resident struct{}

// Conn is never called.
func (Departure) Conn() (*net.TCPConn, error) { return nil, net.ErrClosed }

// Cut is never called.
func (*Resident) Cut() {}
