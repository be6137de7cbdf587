//go:build unix

package wire_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// drive returns a driven connection that isn't open yet.
func drive(t testing.TB, target string) *wire.Driven {
	t.Helper()
	d, ok := wire.Drive(dial(t, target, 30*time.Second))
	if !ok {
		t.Fatal("not to be driven")
	}
	t.Cleanup(d.Close)
	return d
}

// readable waits for it.
func readable(t testing.TB, d *wire.Driven, fds []unix.PollFd) {
	t.Helper()
	fds[0] = unix.PollFd{Fd: int32(d.FD()), Events: unix.POLLIN}
	for {
		n, err := unix.Poll(fds, 30_000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("%d readable, %v", n, err)
		}
		return
	}
}

// exchange is an exchange from its beginning to its end.
func exchange(t testing.TB, d *wire.Driven, request *wire.Request, response *wire.Response) error {
	t.Helper()
	if d.FD() < 0 {
		if err := d.Connect(t.Context()); err != nil {
			return err
		}
	}
	if err := d.Begin(request, response); err != nil {
		return err
	}
	var fds [1]unix.PollFd
	for {
		if !d.Asked() {
			t.Fatal("nothing is under way")
		}
		readable(t, d, fds[:])
		if over, err := d.Ready(); over {
			return err
		}
	}
}

// TestDriven_Exchange wants what an ordinary connection does: answers of every
// length, by one connection as long as the server doesn't close it.
func TestDriven_Exchange(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch string(body) {
		case "long":
			w.(http.Flusher).Flush() // from here on in chunks
			_, _ = io.WriteString(w, strings.Repeat("x", 20_000))
		case "last":
			w.Header().Set("Connection", "close")
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	d := drive(t, server.URL)
	for _, body := range []string{"one", "long", "", "last", "two"} {
		var r wire.Response
		if err := exchange(t, d, post(body), &r); err != nil || r.Status != 200 || !strings.HasSuffix(string(r.Body), body) || len(r.Body) > 20 != (body == "long") {
			t.Errorf("%q: %d, %.60q, %v", body, r.Status, r.Body, err)
		}
		if open := d.FD() >= 0; open != (body != "last") {
			t.Errorf("after %q it is open: %v", body, open)
		}
	}
}

func TestDriven_Failures(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var r wire.Response
	if err := exchange(t, drive(t, "http://"+l.Addr().String()), post("x"), &r); !wire.Unsent(err) || wire.TimedOut(err) {
		t.Errorf("nobody listens: %v", err)
	}

	broken := drive(t, raw(t, func(c net.Conn, _ []byte) bool {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		return false
	}))
	if err := exchange(t, broken, post("x"), &r); err == nil || wire.Unsent(err) || wire.TimedOut(err) || broken.FD() >= 0 {
		t.Errorf("half an answer: %v", err)
	}

	silent := drive(t, raw(t, func(net.Conn, []byte) bool { return true }))
	if err := silent.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := silent.Begin(post("x"), &r); err != nil {
		t.Fatal(err)
	}
	if over, err := silent.Ready(); over || err != nil {
		t.Fatalf("over without an answer: %v, %v", over, err)
	}
	if err := silent.Abort(context.DeadlineExceeded); wire.Unsent(err) || !wire.TimedOut(err) || silent.FD() >= 0 {
		t.Errorf("no answer: %v", err)
	}
	if err := silent.Abort(context.Canceled); !wire.Unsent(err) {
		t.Errorf("ended before anything was sent: %v", err)
	}
}

// TestDriven_ClosedMeanwhile notices that the server closed a connection that
// nothing is under way on.
func TestDriven_ClosedMeanwhile(t *testing.T) {
	t.Parallel()
	d := drive(t, raw(t, func(c net.Conn, _ []byte) bool { answerCreated(c, nil); return false }))
	var r wire.Response
	if err := exchange(t, d, post("x"), &r); err != nil || r.Status != 201 || d.FD() < 0 {
		t.Fatalf("%d, %v", r.Status, err)
	}
	readable(t, d, make([]unix.PollFd, 1))
	if over, err := d.Ready(); over || err != nil || d.FD() >= 0 {
		t.Errorf("over %v, open %v, %v", over, d.FD() >= 0, err)
	}
}

func TestDrive_NotOverTLS(t *testing.T) {
	t.Parallel()
	u := &url.URL{Scheme: "https", Host: "127.0.0.1:1"}
	c, err := (&wire.Dialer{Target: u}).New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := wire.Drive(c); ok {
		t.Error("driven")
	}
}

func TestDriven_AllocatesNothing(t *testing.T) {
	d := drive(t, raw(t, answerCreated))
	request := post(`{"choices":["1"]}`)
	var r wire.Response
	fds := make([]unix.PollFd, 1)
	if err := d.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(200, func() {
		if err := d.Begin(request, &r); err != nil {
			t.Fatal(err)
		}
		readable(t, d, fds)
		if over, err := d.Ready(); !over || err != nil || r.Status != 201 {
			t.Fatalf("over %v, %d, %v", over, r.Status, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations an exchange, want none", allocs)
	}
}
