package http

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// troubled is a listener that fails a few times first.
type troubled struct {
	net.Listener
	failures int
}

func (l *troubled) Accept() (net.Conn, error) {
	if l.failures--; l.failures >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// unopened returns a server and a listener, which it does not serve yet.
func unopened(t *testing.T) (*Server, net.Listener) {
	t.Helper()
	s, err := New(Config{Secrets: [][]byte{[]byte("a secret that only the tests know")}, Logger: slog.New(slog.DiscardHandler), ReadTimeout: time.Minute}, &yes{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

// TestDoor_Errors: who comes while there are no descriptors is served later.
func TestDoor_Errors(t *testing.T) {
	s, l := unopened(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(&troubled{l, 3}) }()
	response, err := (&http.Client{Timeout: time.Minute}).Get("http://" + l.Addr().String() + "/api/v1/openapi.json")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	response.Body.Close()
	// Somebody else closes the listener: that is no error to be tried again.
	l.Close()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDoor_Closed: who wants in when nobody is let in any more is sent away.
func TestDoor_Closed(t *testing.T) {
	s, l := unopened(t)
	d := newDoor(s, l)
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	inside, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 100)
	if n, err := inside.Read(text[:5]); string(text[:n]) != "GET /" || err != nil {
		t.Errorf("%q, %v", text[:n], err)
	}
	if n, err := inside.Read(text); string(text[:n]) != " HTTP/1.1\r\n" || err != nil {
		t.Errorf("%q, %v", text[:n], err)
	}
	inside.Close()
	late, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if _, err := late.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Accept(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("accepted: %v", err)
	}
	if n, err := late.Read(text); err == nil {
		t.Errorf("%q came", text[:n])
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
