package main

import (
	"net/netip"
	"testing"
)

func TestPickLAN(t *testing.T) {
	nic := func(addrs ...string) network {
		n := network{up: true}
		for _, addr := range addrs {
			n.addrs = append(n.addrs, netip.MustParseAddr(addr))
		}
		return n
	}
	loopback := nic("127.0.0.1", "::1")
	loopback.loopback = true
	down := nic("192.168.7.7")
	down.up = false
	for name, tt := range map[string]struct {
		networks []network
		only4    bool
		want     string
	}{
		"None":               {},
		"OnlyLoopback":       {networks: []network{loopback}},
		"FirstPrivate":       {networks: []network{loopback, nic("fe80::1", "192.168.1.5"), nic("10.0.0.9")}, want: "192.168.1.5"},
		"DownIsNoNetwork":    {networks: []network{down, nic("10.0.0.9")}, want: "10.0.0.9"},
		"PublicIsNoLAN":      {networks: []network{nic("203.0.113.4")}},
		"IPv4BeforeIPv6":     {networks: []network{nic("2001:db8::5"), nic("172.16.3.4")}, want: "172.16.3.4"},
		"IPv6WithoutIPv4":    {networks: []network{loopback, nic("fe80::1", "fd12::5", "2001:db8::5")}, want: "fd12::5"},
		"LinkLocalIsTooNear": {networks: []network{nic("fe80::1", "169.254.1.1")}},
		"ListensOnIPv4":      {networks: []network{nic("fd12::5")}, only4: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := pickLAN(tt.networks, tt.only4)
			if ok != (tt.want != "") || ok && got.String() != tt.want {
				t.Errorf("got %v, %v; want %q", got, ok, tt.want)
			}
		})
	}
}
