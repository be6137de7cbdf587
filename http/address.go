package http

import (
	"net/http"
	"net/netip"
	"strings"
)

// client returns the address for which a request is made: the peer's, unless
// that is a proxy we trust; then the last one in X-Forwarded-For that is not.
func (s *Server) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // not a network: all such share one budget
	}
	addr := peer.Addr().Unmap()
	if !s.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what stands left of something unreadable is hearsay
		}
		if addr = hop.Unmap(); !s.trusted(addr) {
			break
		}
	}
	return addr
}

// byProxy says whether a request came by a proxy that we trust.
func (s *Server) byProxy(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.trusted(peer.Addr().Unmap())
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, prefix := range s.cfg.TrustedProxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
