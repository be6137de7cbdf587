package http

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// fastPath answers the votes of programs that send one after the other on a
// plain connection: requests of one shape, which arrive whole. net/http spends
// a quarter of a vote's time on what they don't need: a context, buffers, a
// response that may become anything. The handlers are the same.
//
// It belongs to one connection, and is used by one goroutine at a time.
type fastPath struct {
	server *Server
	conn   *conn // nil at the door
	head   voteHead
	body   wholeBody
	answer answer

	request http.Request
	pending *pending // nil until the reactor has the connection
}

// newFastPath returns that of a connection with a peer.
func newFastPath(s *Server, peer string) *fastPath {
	f := &fastPath{server: s, answer: answer{header: make(http.Header)}}
	f.head.url = new(url.URL)
	f.head.fields = make(http.Header)
	f.head.forget()
	f.request.RemoteAddr = peer
	return f
}

// serve answers a request that is a vote as nearly all of them look, and says
// whether it has. Its errors are those of the connection.
func (f *fastPath) serve(arrived []byte) (served bool, err error) {
	body, ok := f.head.read(arrived)
	if !ok || !f.server.voting.enter() {
		return false, nil
	}
	defer f.server.voting.leave()
	_ = f.conn.SetWriteDeadline(time.Now().Add(f.server.http.WriteTimeout))
	f.handle(body)
	now := time.Now()
	_ = f.conn.readBy(now.Add(f.server.http.IdleTimeout))
	answer, last := f.answer.bytes(f.server.date.at(now))
	if _, err = f.conn.Write(answer); err == nil && last {
		err = io.EOF
	}
	return true, err
}

// handle has the handlers answer the request whose head was read last.
func (f *fastPath) handle(body []byte) {
	f.body.rest = body
	f.request = http.Request{
		Method: http.MethodPost, URL: f.head.url, RequestURI: f.head.url.Path, Host: f.head.host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: f.head.fields, ContentLength: int64(len(body)), Body: &f.body, RemoteAddr: f.request.RemoteAddr,
	}
	f.answer.begin()
	f.server.http.Handler.ServeHTTP(&f.answer, &f.request)
}

// wholeBody is a body that has arrived.
type wholeBody struct{ rest []byte }

// Read implements io.Reader.
func (b *wholeBody) Read(p []byte) (int, error) {
	n := copy(p, b.rest)
	if b.rest = b.rest[n:]; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (b *wholeBody) Close() error { return nil }

// answer is an http.ResponseWriter that keeps what is written to it.
type answer struct {
	header http.Header
	status int
	body   []byte
	out    []byte
	// pending is a vote that may be answered later; nil when the answer is
	// waited for.
	pending *pending
}

// keptAnswer is the most bytes that a connection keeps for answers: those to
// votes that were taken have some 600.
const keptAnswer = 2 << 10

// begin forgets the last answer.
func (a *answer) begin() {
	if cap(a.out)+cap(a.body) > keptAnswer {
		a.out, a.body = nil, nil
	}
	clear(a.header)
	a.status, a.body = 0, a.body[:0]
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

// bytes returns the answer as HTTP/1.1 writes it, until begin, and whether it
// says that it is the connection's last.
func (a *answer) bytes(date string) (answer []byte, last bool) {
	a.WriteHeader(http.StatusOK)
	b := appendHead(a.out[:0], a.status, a.header, date)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(a.body)), 10)
	a.out = append(append(b, "\r\n\r\n"...), a.body...)
	return a.out, len(a.header["Connection"]) > 0
}

// appendHead appends an answer's head (RFC 9112) without the empty line that
// ends it.
func appendHead(b []byte, status int, h http.Header, date string) []byte {
	b = strconv.AppendInt(append(b, "HTTP/1.1 "...), int64(status), 10)
	b = append(append(b, ' '), http.StatusText(status)...)
	b = append(append(b, "\r\nDate: "...), date...)
	for name, values := range h {
		for _, value := range values {
			b = append(append(append(b, "\r\n"...), name...), ": "...)
			b = appendValue(b, value)
		}
	}
	return append(b, "\r\n"...)
}

// appendValue appends a header's value on one line, as net/http does.
func appendValue(b []byte, value string) []byte {
	from := len(b)
	b = append(b, value...)
	for i := from; i < len(b); i++ {
		if b[i] == '\r' || b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// date is the time as HTTP writes it, once a second.
type date struct{ last atomic.Pointer[dated] }

type dated struct {
	second int64
	text   string
}

// at returns the date of a moment.
func (d *date) at(now time.Time) string {
	last := d.last.Load()
	if second := now.Unix(); last == nil || last.second != second {
		last = &dated{second, now.UTC().Format(http.TimeFormat)}
		d.last.Store(last)
	}
	return last.text
}

// gate is passed by votes until it is shut: net/http, which thinks that their
// connections are idle, cuts them when it shuts down.
type gate struct {
	mu   sync.RWMutex
	once sync.Once
	left chan struct{}
}

// enter passes, unless the gate is shut.
func (g *gate) enter() bool { return g.mu.TryRLock() }

// leave has to follow each enter that passed.
func (g *gate) leave() { g.mu.RUnlock() }

// shut lets nobody pass any more. The channel is closed when the last has left.
func (g *gate) shut() <-chan struct{} {
	g.once.Do(func() {
		g.left = make(chan struct{})
		go func() {
			g.mu.Lock() // for good
			close(g.left)
		}()
	})
	return g.left
}
