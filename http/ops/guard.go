package ops

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard turns away requests that a page in an operator's browser was tricked
// into sending: by their origin, and by the name of the host they were sent
// to, which is the attacker's own where DNS was made to point here.
func guard(addr string, next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		if !serves(addr, r.Host) {
			http.Error(w, "This listener does not serve the host that was asked for.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// protect sets what protects every answer: a page that needs more than nothing
// says so itself.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// serves says whether a listener at addr answers requests for the host: its
// own, this machine's loopback, and, where it listens everywhere, any address
// that needed no name to be found.
func serves(addr, host string) bool {
	own, name := hostname(addr), hostname(host)
	ownIP, _ := netip.ParseAddr(own)
	ip, err := netip.ParseAddr(name)
	switch {
	case name == "localhost" || name != "" && name == own:
		return true
	case err != nil:
		return false
	default:
		return ip.IsLoopback() || own == "" || ownIP.IsUnspecified()
	}
}

// hostname returns an address's host without port and brackets.
func hostname(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	return strings.ToLower(strings.Trim(addr, "[]"))
}
