package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// dial returns a connection to a server.
func dial(t testing.TB, target string, patience time.Duration) wire.Conn {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	d := &wire.Dialer{Target: u, Patience: patience, Watch: wire.StartWatchdog(ctx, patience/10), Insecure: true}
	c, err := d.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func post(body string) *wire.Request {
	return &wire.Request{Method: "POST", Path: "/votes?a=b", Fields: []wire.Field{{Name: "X-Voter", Value: []byte("me")}}, Body: []byte(body)}
}

func TestConn_Exchange(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "3")
		w.Header().Set("Set-Cookie", "voter=1; Path=/; HttpOnly")
		w.Header().Set("Location", "/there")
		if r.Header.Get("X-Voter") == "me" && r.URL.RawQuery == "a=b" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
		if strings.HasPrefix(string(body), "long") {
			w.(http.Flusher).Flush() // from here on in chunks
			fmt.Fprint(w, strings.Repeat("x", 20_000))
		}
	})
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	for name, server := range map[string]*httptest.Server{"Plain": plain, "TLS": secure} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, server.URL, 10*time.Second)
			for _, body := range []string{"one", "long two", "", "three"} {
				var r wire.Response
				if err := c.Exchange(post(body), &r); err != nil {
					t.Fatal(err)
				}
				want := "POST /votes " + body
				if strings.HasPrefix(body, "long") {
					want += strings.Repeat("x", 20_000)
				}
				if r.Status != 503 || r.RetryAfter != 3*time.Second || string(r.Cookie) != "voter=1" || string(r.Location) != "/there" || string(r.Body) != want {
					t.Errorf("%d, after %v, %q, %q, body %.60q", r.Status, r.RetryAfter, r.Cookie, r.Location, r.Body)
				}
			}
		})
	}
}

// TestConn_KeepsTheConnection wants one connection for all exchanges, and a new
// one after the server said that it closes.
func TestConn_KeepsTheConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == "last" {
			w.Header().Set("Connection", "close")
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := dial(t, server.URL, 10*time.Second)
	for _, body := range []string{"a", "b", "last", "c", "d"} {
		var r wire.Response
		if err := c.Exchange(post(body), &r); err != nil || r.Status != 200 {
			t.Fatalf("%s: %d, %v", body, r.Status, err)
		}
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestConn_Failures(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var r wire.Response
	err = dial(t, "http://"+l.Addr().String(), time.Second).Exchange(post("x"), &r)
	if err == nil || !wire.Unsent(err) || wire.TimedOut(err) {
		t.Errorf("nobody listens: %v", err)
	}

	broken := raw(t, func(c net.Conn, request []byte) bool {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
		return false
	})
	if err = dial(t, broken, 10*time.Second).Exchange(post("x"), &r); err == nil || wire.Unsent(err) || wire.TimedOut(err) {
		t.Errorf("half an answer: %v", err)
	}

	silent := raw(t, func(net.Conn, []byte) bool { return true })
	c := dial(t, silent, 50*time.Millisecond)
	for range 2 {
		if err = c.Exchange(post("x"), &r); !wire.TimedOut(err) || wire.Unsent(err) {
			t.Errorf("no answer: %v", err)
		}
	}
}

// TestConn_EndsWithItsContext ends what is under way and lets nothing begin.
func TestConn_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	silent := raw(t, func(net.Conn, []byte) bool { asked <- struct{}{}; return true })
	ctx, cancel := context.WithCancel(context.Background())
	u, _ := url.Parse(silent)
	d := &wire.Dialer{Target: u, Patience: time.Minute, Watch: wire.StartWatchdog(ctx, time.Minute)}
	c, err := d.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	failed := make(chan error)
	go func() {
		var r wire.Response
		failed <- c.Exchange(post("x"), &r)
	}()
	<-asked
	cancel()
	if err := <-failed; err == nil {
		t.Error("an exchange outlived its context")
	}
	var r wire.Response
	if err := c.Exchange(post("x"), &r); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// raw is a server that allocates nothing for a request. answer says whether to
// go on.
func raw(t testing.TB, answer func(c net.Conn, request []byte) bool) (target string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 4<<10)
				for {
					n, err := c.Read(b)
					if err != nil || !answer(c, b[:n]) {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

var created = []byte("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: 13\r\n\r\n{\"version\":7}")

func answerCreated(c net.Conn, _ []byte) bool {
	_, err := c.Write(created)
	return err == nil
}

func TestConn_AllocatesNothing(t *testing.T) {
	c := dial(t, raw(t, answerCreated), 10*time.Second)
	request := post(`{"choices":["1"]}`)
	var r wire.Response
	allocs := testing.AllocsPerRun(200, func() {
		if err := c.Exchange(request, &r); err != nil || r.Status != 201 || string(r.Body) != `{"version":7}` {
			t.Fatalf("%d %q, %v", r.Status, r.Body, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations an exchange, want none", allocs)
	}
}

func BenchmarkConn_Exchange(b *testing.B) {
	c := dial(b, raw(b, answerCreated), 10*time.Second)
	request := post(`{"choices":["1"]}`)
	var r wire.Response
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Exchange(request, &r); err != nil {
			b.Fatal(err)
		}
	}
}
