// Package limit holds back whoever asks for too much: budgets by key, behind a
// port that has two sides: a limiter within the process, and one that all
// instances share through Redis.
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
	// Return gives back what was taken and turned out to cost nothing. A key
	// never has more than its budget.
	Return(ctx context.Context, key string, n int) error
}

// Budget is what a key may take: Units at once, and the same again in every
// Period, little by little.
type Budget struct {
	Name   string // tells the keys of one budget from those of another
	Units  int
	Period time.Duration
	// Shared says that it should be the same for all instances: it is of
	// something rare.
	Shared bool
}

// Keys is how many keys a budget should remember within the process: at 300
// bytes each, 6 MB.
const Keys = 20_000

// step is how long it takes until there is one unit more.
func (b Budget) step() time.Duration { return b.Period / time.Duration(max(b.Units, 1)) }

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
