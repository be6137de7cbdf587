package http_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/oponn/oponn/http/browsertest"
)

// wire is what lies between a browser and the service: it can be cut, and it
// can go dead without anybody being told.
type wire struct {
	url      string
	target   string
	listener net.Listener
	down     atomic.Bool
	mu       sync.Mutex
	lines    map[*line]bool
	ended    sync.WaitGroup
}

// line is one connection through the wire.
type line struct {
	client, server net.Conn
	deaf           atomic.Bool // what the server says is lost
	dead           atomic.Bool // and what the client says, too
}

// wire puts one before the service.
func (w *world) wire() *wire {
	w.t.Helper()
	u, err := url.Parse(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	between := &wire{url: "http://" + listener.Addr().String(), target: u.Host, listener: listener, lines: map[*line]bool{}}
	between.ended.Go(between.serve)
	w.t.Cleanup(func() {
		listener.Close()
		between.cut()
		between.ended.Wait()
	})
	return between
}

func (w *wire) serve() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		if w.down.Load() {
			client.Close()
			continue
		}
		server, err := net.Dial("tcp", w.target)
		if err != nil {
			client.Close()
			continue
		}
		l := &line{client: client, server: server}
		w.mu.Lock()
		w.lines[l] = true
		w.mu.Unlock()
		w.ended.Go(func() { l.carry(server, client, &l.dead) })
		w.ended.Go(func() {
			l.carry(client, server, &l.deaf)
			w.mu.Lock()
			delete(w.lines, l)
			w.mu.Unlock()
		})
	}
}

// carry takes bytes from one end to the other, or loses them, until either is
// closed.
func (l *line) carry(to, from net.Conn, lost *atomic.Bool) {
	defer l.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !lost.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) close() {
	l.client.Close()
	l.server.Close()
}

func (w *wire) each(do func(*line)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.lines {
		do(l)
	}
}

// cut ends every connection, as a proxy does that has had enough.
func (w *wire) cut() { w.each((*line).close) }

// leave takes a visitor from the network, for the browser and in truth.
func (w *wire) leave(v visitor) {
	v.t.Helper()
	w.down.Store(true)
	w.cut()
	v.must(v.Do(browsertest.Offline()))
}

// enter undoes leave.
func (w *wire) enter(v visitor) {
	v.t.Helper()
	w.down.Store(false)
	v.must(v.Do(browsertest.Online()))
}

// deafen loses every answer on the connections that there are.
func (w *wire) deafen() { w.each(func(l *line) { l.deaf.Store(true) }) }

// kill loses all on them, as when a phone has moved to another network.
func (w *wire) kill() {
	w.each(func(l *line) { l.deaf.Store(true); l.dead.Store(true) })
}

// shown watches the number of votes on a page.
func (v visitor) watchVotes() {
	v.t.Helper()
	v.eval(`window.shownVotes = [];
new MutationObserver(() => {
  const n = parseInt(document.querySelector(".votes").textContent);
  if (shownVotes.at(-1) !== n) shownVotes.push(n);
}).observe(document.body, {subtree: true, childList: true, characterData: true}); ''`)
}

// neverWentBack checks what watchVotes has seen.
func (v visitor) neverWentBack() {
	v.t.Helper()
	if v.eval("String(shownVotes.every((n, i) => i === 0 || n > shownVotes[i - 1]))") != "true" {
		v.t.Errorf("the page showed %s votes in turn", v.eval("shownVotes.join(', ')"))
	}
}

// path is that of its page.
func (b created) path() string { return "/ballots/" + b.ID }
