package pgtest

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy is a wire between a store and its server that can be cut.
type Proxy struct {
	listener net.Listener
	server   string
	url      url.URL

	mu   sync.Mutex
	open map[*wire]bool
	fate fate // of the next COMMIT
	lost int
	// cancels counts the requests to cancel a query.
	cancels int
	wires   sync.WaitGroup
}

// fate is what shall happen to a COMMIT.
type fate int

const (
	delivered fate = iota
	// answerLost: the server commits, and its answer is swallowed.
	answerLost
	// commandLost: the server never gets it, and aborts.
	commandLost
)

// NewProxy starts a proxy before the server of a URL (host and port, without
// TLS), for one test.
func NewProxy(tb testing.TB, server string) *Proxy {
	tb.Helper()
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: listener, server: u.Host, url: *u, open: map[*wire]bool{}}
	p.url.Host = listener.Addr().String()
	p.wires.Go(p.accept)
	tb.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.wires.Wait()
	})
	return p
}

// URL is the server's, through the proxy.
func (p *Proxy) URL() string { return p.url.String() }

// LoseNextCommit cuts the wire at the next COMMIT: after the server has
// confirmed it, or before it has seen it.
func (p *Proxy) LoseNextCommit(committed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fate = commandLost
	if committed {
		p.fate = answerLost
	}
}

// Lost returns how many COMMITs were lost.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Cancels returns how many requests to cancel a query have passed.
func (p *Proxy) Cancels() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancels
}

// Cut cuts all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.open {
		w.cut()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		var dialer net.Dialer
		server, err := dialer.DialContext(context.Background(), "tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		w := &wire{proxy: p, client: client, server: server}
		p.mu.Lock()
		p.open[w] = true
		p.mu.Unlock()
		p.wires.Go(w.forth)
		p.wires.Go(w.back)
	}
}

// next takes the fate of a COMMIT that passes.
func (p *Proxy) next() fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	fate := p.fate
	p.fate = delivered
	if fate != delivered {
		p.lost++
	}
	return fate
}

func (p *Proxy) noteCancel() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancels++
}

// wire is one connection.
type wire struct {
	proxy          *Proxy
	client, server net.Conn

	mu         sync.Mutex
	swallowing bool
}

func (w *wire) cut() {
	_ = w.client.Close()
	_ = w.server.Close()
}

// A store names its prepared COMMIT "commit"; Bind carries the name after that
// of the (unnamed) portal.
var (
	bindCommit = []byte("\x00commit\x00")
	confirmed  = []byte("COMMIT\x00")
	cancelling = []byte{4, 210, 22, 46} // 80877102, after the length
)

// forth carries what the client says, until a COMMIT shall be lost.
func (w *wire) forth() {
	defer w.cut()
	var seen []byte // the end of what has passed: a message may come in two parts
	for buffer := make([]byte, 64<<10); ; {
		n, err := w.client.Read(buffer)
		if err != nil {
			return
		}
		if n >= 8 && bytes.Equal(buffer[4:8], cancelling) {
			w.proxy.noteCancel()
		}
		seen = append(seen, buffer[:n]...)
		if bytes.Contains(seen, bindCommit) {
			seen = nil
			switch w.proxy.next() {
			case commandLost:
				return
			case answerLost:
				w.swallow()
			case delivered:
			}
		}
		seen = seen[max(0, len(seen)-len(bindCommit)+1):]
		if _, err := w.server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (w *wire) swallow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.swallowing = true
}

func (w *wire) swallows() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.swallowing
}

// back carries what the server says. When the answer shall be lost it waits
// for it and then cuts the wire.
func (w *wire) back() {
	defer func() {
		w.cut()
		w.proxy.mu.Lock()
		defer w.proxy.mu.Unlock()
		delete(w.proxy.open, w)
	}()
	var swallowed []byte
	for buffer := make([]byte, 64<<10); ; {
		n, err := w.server.Read(buffer)
		if n > 0 && w.swallows() {
			if swallowed = append(swallowed, buffer[:n]...); bytes.Contains(swallowed, confirmed) {
				return
			}
		} else if n > 0 {
			if _, err := w.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
