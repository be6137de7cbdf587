package main

import (
	"net"
	"net/netip"
)

// network is one of the machine's network interfaces.
type network struct {
	up, loopback bool
	addrs        []netip.Addr
}

// networks returns the machine's interfaces in the system's order; none where
// they can't be listed.
func networks() []network {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	found := make([]network, 0, len(interfaces))
	for _, i := range interfaces {
		n := network{up: i.Flags&net.FlagUp != 0, loopback: i.Flags&net.FlagLoopback != 0}
		addrs, _ := i.Addrs() // an interface may vanish meanwhile
		for _, addr := range addrs {
			if prefix, err := netip.ParsePrefix(addr.String()); err == nil {
				n.addrs = append(n.addrs, prefix.Addr().Unmap())
			}
		}
		found = append(found, n)
	}
	return found
}

// pickLAN returns the address at which other machines of a network find this
// one: the first private one of IPv4; only where there is none, one of IPv6
// that is more than link-local.
func pickLAN(networks []network, only4 bool) (lan netip.Addr, ok bool) {
	for _, n := range networks {
		if !n.up || n.loopback {
			continue
		}
		for _, addr := range n.addrs {
			switch {
			case addr.Is4() && addr.IsPrivate():
				return addr, true
			case addr.Is6() && addr.IsGlobalUnicast() && !only4 && !lan.IsValid():
				lan = addr
			}
		}
	}
	return lan, lan.IsValid()
}

// listeningAddr returns the address of a TCP listener.
func listeningAddr(l net.Listener) netip.AddrPort {
	addr, _ := netip.ParseAddrPort(l.Addr().String())
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}
