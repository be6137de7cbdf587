package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// notYoursError says that a target is not on this machine.
type notYoursError struct {
	host string
	addr netip.Addr
}

func (e *notYoursError) Error() string {
	return fmt.Sprintf("bench: %s (%s) is another machine: load tests are for servers of one's own; say --i-own-this if it is yours", e.host, e.addr)
}

// refuseForeign refuses targets of which any address leads to another machine.
func refuseForeign(ctx context.Context, targets []*url.URL) error {
	for _, u := range targets {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
		if err != nil {
			return fmt.Errorf("bench: %s can't be found: %w", u.Hostname(), err)
		}
		for _, addr := range addrs {
			if !addr.Unmap().IsLoopback() {
				return &notYoursError{u.Hostname(), addr}
			}
		}
	}
	return nil
}

// perSource is how many connections one local address is used for: a target
// has 28,000 ports to give to each.
const perSource = 10_000

// sources returns local addresses for so many connections: none where one will
// do, or where the targets are not 127.0.0.1.
func sources(ctx context.Context, targets []*url.URL, connections int) (addrs []string) {
	if connections <= perSource {
		return nil
	}
	for _, u := range targets {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", u.Hostname())
		if err != nil || len(found) == 0 || !found[0].Unmap().IsLoopback() {
			return nil
		}
	}
	for i := range connections/perSource + 1 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{127, 0, byte((i + 1) >> 8), byte(i + 1)}).String())
	}
	return addrs
}
