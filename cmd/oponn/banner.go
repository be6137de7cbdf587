package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
)

// announce says where everything is: to a person in development, to the log in
// production.
func (s *instance) announce(out io.Writer, live bool) {
	if s.cfg.production {
		s.log.Info("serving", "version", version(), "address", s.listener.Addr().String(), "ops", s.opsListener.Addr().String(),
			"url", s.cfg.publicURL.String(), "max_streams", s.cfg.maxStreams)
		if _, plain := plainHost(s.cfg.storage.kms.Endpoint); plain {
			s.log.Warn("OPONN_LOCAL_KMS is on and the KMS has no TLS: keys of ballots travel in the clear; this is for trying things out, not for production")
		}
		if !live {
			s.log.Warn("live updates are off: this binary was built without htmx")
		}
		return
	}
	paint := painter(out)
	line := func(name, value string) {
		fmt.Fprintf(out, "  %s  %s\n", paint(muted, fmt.Sprintf("%-6s", name)), value)
	}
	fmt.Fprintf(out, "\n%s %s is running\n\n", paint(purple, ">"), paint(bold, "oponn"))
	line("here", paint(bold, s.localURL()))
	if lan := s.lanURL(); lan != "" {
		line("phones", paint(bold, lan))
	}
	if s.cfg.publicURL != nil {
		line("public", paint(bold, s.cfg.publicURL.String()))
	}
	line("ops", "http://"+s.opsListener.Addr().String()+"/readyz")
	line("data", s.cfg.storage.String())
	if !live {
		fmt.Fprintf(out, "\n  %s\n", paint(amber, "live updates off: run make assets"))
	}
	fmt.Fprintln(out)
}

// localURL returns the server's address for this machine.
func (s *instance) localURL() string {
	addr := listeningAddr(s.listener)
	if addr.Addr().IsUnspecified() {
		return fmt.Sprintf("%s://localhost:%d", s.scheme(), addr.Port())
	}
	return s.scheme() + "://" + addr.String()
}

// lanURL returns the server's address for other machines of the same network,
// such as phones; empty when they can't reach it. It is asked each time, for a
// laptop changes networks.
func (s *instance) lanURL() string {
	addr := listeningAddr(s.listener)
	switch ip := addr.Addr(); {
	case ip.IsLoopback():
		return ""
	case !ip.IsUnspecified():
		return s.scheme() + "://" + addr.String()
	default:
		lan, ok := pickLAN(networks(), ip.Is4())
		if !ok {
			return ""
		}
		return s.scheme() + "://" + netip.AddrPortFrom(lan, addr.Port()).String()
	}
}

func (s *instance) scheme() string {
	if s.cfg.tlsCert != "" {
		return "https"
	}
	return "http"
}

// colour is an escape sequence of a terminal.
type colour string

const (
	purple colour = "\x1b[38;2;155;114;203m"
	amber  colour = "\x1b[33m"
	bold   colour = "\x1b[1m"
	muted  colour = "\x1b[2m"
)

// colourful says whether out is a terminal whose owner wants colours
// (https://no-color.org).
func colourful(out io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && interactive(out)
}

// painter returns what colours a text, where colours are wanted.
func painter(out io.Writer) func(colour, string) string {
	if colourful(out) {
		return func(c colour, text string) string { return string(c) + text + "\x1b[0m" }
	}
	return func(_ colour, text string) string { return text }
}
