package http

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// base returns where links begin: the public URL or, in development, the host
// that was asked.
func (s *Server) base(r *http.Request) string {
	if u := s.cfg.PublicURL; u != nil {
		return u.Scheme + "://" + u.Host
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// shareBase returns where links for others begin: a phone can't follow one to
// a loopback address.
func (s *Server) shareBase(r *http.Request) string {
	if s.cfg.PublicURL == nil && s.cfg.LANURL != nil && loopbackHost(r.Host) {
		if lan := s.cfg.LANURL(); lan != "" {
			return strings.TrimSuffix(lan, "/")
		}
	}
	return s.base(r)
}

// joinURL returns the address that other machines of the same network have for
// this server; empty where everybody has the same.
func (s *Server) joinURL(r *http.Request) string {
	base := s.shareBase(r)
	if _, host, _ := strings.Cut(base, "://"); s.cfg.PublicURL != nil || loopbackHost(host) {
		return ""
	}
	return base + "/"
}

// secure says whether browsers reach us by https.
func (s *Server) secure(r *http.Request) bool {
	if u := s.cfg.PublicURL; u != nil {
		return u.Scheme == "https"
	}
	return r.TLS != nil
}

// servesHost says whether requests for the host are ours to answer. Nearly all
// name the same one.
func (s *Server) servesHost(host string) bool {
	if last := s.lastHost.Load(); last != nil && *last == host {
		return true
	}
	serves := validHost(host)
	if s.cfg.Production {
		serves = withoutDefaultPort(host, s.cfg.PublicURL.Scheme) == withoutDefaultPort(s.cfg.PublicURL.Host, s.cfg.PublicURL.Scheme)
	}
	if serves {
		this := host // the parameter itself would move to the heap with every call
		s.lastHost.Store(&this)
	}
	return serves
}

func withoutDefaultPort(host, scheme string) string {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}

// validHost says whether a Host header is a name or an address, perhaps with a
// port: nothing that could turn a link into something else.
func validHost(host string) bool {
	name, port := host, ""
	if strings.HasSuffix(host, ":") {
		return false
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	} else if strings.HasPrefix(host, "[") != strings.HasSuffix(host, "]") {
		return false
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if len(port) > 5 || strings.Trim(port, "0123456789") != "" || name == "" || len(name) > 253 {
		return false
	}
	if u, err := url.Parse("http://" + host); err != nil || u.Host != host {
		return false
	}
	addr, err := netip.ParseAddr(name)
	if bracketed := strings.HasPrefix(host, "["); err == nil || bracketed {
		return err == nil && addr.Zone() == "" && addr.Is6() == bracketed
	}
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// loopbackHost says whether the host of a link means the machine it is
// followed on.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}
