package http

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wire returns a conn and its peer, whose time is that of the bubble.
func wire(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return &conn{Conn: ours}, theirs
}

func TestConn_ReadDeadlines(t *testing.T) {
	in := func(seconds int) time.Time { return time.Now().Add(time.Duration(seconds) * time.Second) }
	for name, test := range map[string]struct {
		ask  func(c *conn)
		want time.Duration
	}{
		"one":                    {func(c *conn) { c.SetReadDeadline(in(2)) }, 2 * time.Second},
		"a later one":            {func(c *conn) { c.SetReadDeadline(in(1)); c.SetReadDeadline(in(7)) }, 7 * time.Second},
		"later ones, one by one": {func(c *conn) { c.SetReadDeadline(in(1)); c.SetReadDeadline(in(2)); c.SetReadDeadline(in(3)) }, 3 * time.Second},
		"an earlier one":         {func(c *conn) { c.SetReadDeadline(in(9)); c.SetReadDeadline(in(1)) }, time.Second},
		"none in between":        {func(c *conn) { c.SetReadDeadline(in(1)); c.SetReadDeadline(time.Time{}); c.SetReadDeadline(in(4)) }, 4 * time.Second},
		"past":                   {func(c *conn) { c.SetReadDeadline(in(-1)) }, 0},
		"past in between":        {func(c *conn) { c.SetReadDeadline(in(3)); c.SetReadDeadline(in(-1)); c.SetReadDeadline(in(4)) }, 4 * time.Second},
		"for both directions":    {func(c *conn) { c.SetReadDeadline(in(1)); c.SetDeadline(in(5)) }, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := wire(t)
				begin := time.Now()
				test.ask(c)
				_, err := c.Read(make([]byte, 100))
				if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != test.want {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
	t.Run("none any more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := wire(t)
			c.SetReadDeadline(in(1))
			c.SetReadDeadline(time.Time{})
			time.AfterFunc(time.Hour, func() { io.WriteString(peer, "late") })
			b := make([]byte, 100)
			if n, err := c.Read(b); string(b[:n]) != "late" || err != nil {
				t.Errorf("read %q, %v", b[:n], err)
			}
		})
	})
	t.Run("past, while it reads", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := wire(t)
			time.AfterFunc(time.Second, func() { c.SetReadDeadline(in(-1)) })
			if _, err := c.Read(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
			c.SetReadDeadline(time.Time{})
			go io.WriteString(peer, "more")
			b := make([]byte, 100)
			if n, err := c.Read(b); string(b[:n]) != "more" || err != nil {
				t.Errorf("read %q, %v", b[:n], err)
			}
		})
	})
}

func TestConn_WriteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := wire(t)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		c.SetWriteDeadline(time.Now().Add(10 * time.Second))
		got := make(chan string)
		go func() { // three bytes now, the rest after the first deadline
			first := make([]byte, 3)
			io.ReadFull(peer, first)
			<-time.After(5 * time.Second)
			rest := make([]byte, 4)
			io.ReadFull(peer, rest)
			got <- string(first) + string(rest)
		}()
		if n, err := c.Write([]byte("ballots")); n != 7 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		if whole := <-got; whole != "ballots" {
			t.Errorf("the peer got %q", whole)
		}
		begin := time.Now()
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// TestConn_Ahead is about the reads of one byte by which net/http looks ahead:
// they end at once, and take nothing of what comes.
func TestConn_Ahead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := wire(t)
		go io.WriteString(peer, "first next")
		b := make([]byte, 6)
		if n, err := c.Read(b); string(b[:n]) != "first " || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("ahead %d bytes are read, %v", n, err)
		}
		if n, err := c.Read(b); string(b[:n]) != "next" || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
	})
}

// TestConn_LastByte fills a buffer up to one byte: reading that byte is no look
// ahead.
func TestConn_LastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := wire(t)
		const size = 4096
		line := strings.Repeat("a", size-1)
		go func() {
			io.WriteString(peer, line)
			io.WriteString(peer, "bc\n")
		}()
		got, err := bufio.NewReaderSize(c, size).ReadString('\n')
		if got != line+"bc\n" || err != nil {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
	})
}

// TestConn_Pipelined sends requests without waiting for the answers: nothing
// of them may be lost to a look ahead.
func TestConn_Pipelined(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})}
	t.Cleanup(func() { server.Close() })
	go server.Serve(plain{listener})
	peer, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	bodies := []string{"one", "two", "three", "four"}
	var all strings.Builder
	for _, body := range bodies {
		r, _ := http.NewRequest(http.MethodPost, "http://oponn.test/", strings.NewReader(body))
		if err := r.Write(&all); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(peer, all.String()); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(peer)
	for _, body := range bodies {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		if string(got) != body || err != nil {
			t.Errorf("answered %q, %v; want %q", got, err, body)
		}
	}
}

// plain wraps a listener's connections.
type plain struct{ net.Listener }

func (l plain) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	return &conn{Conn: accepted}, err
}
