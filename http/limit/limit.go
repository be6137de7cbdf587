// Package limit holds back whoever asks for too much: budgets by key, behind a
// port small enough for a shared limiter to take the place of the local one.
package limit

import (
	"context"
	"net/netip"
	"time"
)

// Limiter keeps a budget for each key. It is safe for concurrent use.
type Limiter interface {
	// Take takes n units of the key's budget. It returns zero when they were
	// taken; else how long to wait until they would be there, and nothing was
	// taken. An error says that the limiter itself can't answer.
	Take(ctx context.Context, key string, n int) (wait time.Duration, err error)
}

// networkBits is how much of an IPv6 address names a customer: whoever has one
// address of a /64 has all of them.
const networkBits = 64

// AddressKey returns the key of a client's address: the address itself for
// IPv4, the network of /64 for IPv6.
func AddressKey(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr.String()
	}
	network, err := addr.Prefix(networkBits)
	if err != nil {
		return addr.String()
	}
	return network.String()
}
