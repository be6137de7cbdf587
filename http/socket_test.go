//go:build linux

package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	oponnhttp "github.com/oponn/oponn/http"
)

// dial opens a stream on a connection that the test has in hand, and reads
// until its first event is there.
func (w *world) dial(path string) (*net.TCPConn, *bufio.Reader) {
	w.t.Helper()
	host := strings.TrimPrefix(w.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(w.t.Context(), "tcp", host)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			w.t.Fatal(err)
		}
		if line == "event: beat\n" {
			return conn.(*net.TCPConn), lines
		}
	}
}

func TestPlainStreamsHaveNoGoroutine(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	w.dial(apiLive(b)) // what is made for the first one stays
	w.awaitLoad(1)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	before := runtime.NumGoroutine()
	const viewers = 50
	for range viewers {
		w.dial(apiLive(b))
	}
	w.awaitLoad(1 + viewers)
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before+viewers/2; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines more for %d viewers", runtime.NumGoroutine()-before, viewers)
		}
	}
}

func TestPlainStreamsKeepTheHead(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for path, neighbour := range map[string]string{apiLive(b): "/api/v1/ballots/" + b.ID, pageLive(b): "/ballots/" + b.ID} {
		response := w.listen(path).response
		plain := w.get(neighbour)
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy"} {
			if response.Header.Get(name) != plain.header.Get(name) {
				t.Errorf("%s: %s is %q", path, name, response.Header.Get(name))
			}
		}
		if at, err := http.ParseTime(response.Header.Get("Date")); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("the date is %q", response.Header.Get("Date"))
		}
		if response.Header.Get("X-Request-Id") == "" || !response.Close || response.ContentLength != -1 {
			t.Errorf("the head is %+v", response.Header)
		}
	}
}

// A viewer who leaves is noticed although nothing is written to it, and its
// line of the log carries the request's id.
func TestDepartures(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for name, leave := range map[string]func(*net.TCPConn){
		"closed":      func(c *net.TCPConn) { c.Close() },
		"half closed": func(c *net.TCPConn) { c.CloseWrite() },
		"reset":       func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := w.dial(apiLive(b))
			w.awaitLoad(1)
			begin := time.Now()
			leave(conn)
			w.awaitLoad(0)
			if took := time.Since(begin); took > 5*time.Second { // far sooner than a heartbeat would find out
				t.Errorf("noticed after %s", took)
			}
		})
	}
	for _, line := range w.log.find(t, "request") {
		if line["route"] == "/api/v1/ballots/:id/live" && len(fmt.Sprint(line["request"])) != 16 {
			t.Errorf("the log says %v", line)
		}
	}
}

// The last frame reaches a viewer who is slow at first, and the farewell too,
// even though it has sent what nobody read.
func TestSlowViewerGetsTheEnd(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	hands := w.byHand()
	conn, lines := w.dial(apiLive(b))
	h := <-hands
	fmt.Fprint(conn, strings.Repeat("nobody asked", 100))
	filler := strings.Repeat("x", 1<<20) // more than all buffers hold
	h.do(func(s oponn.Sink) {
		for v := range uint64(20) {
			s.Offer(&oponn.Frame{Version: v + 1, Bytes: fmt.Appendf(nil, "id: %d\ndata: %s\n\n", v+1, filler)})
		}
		s.End(oponn.EndClosed)
	})
	select {
	case <-h.done:
		t.Fatal("the end was reached while nobody read")
	default:
	}
	said, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	<-h.done
	if n := strings.Count(string(said), "\nid: "); n != 2 || !strings.Contains(string(said), "\nid: 20\n") {
		t.Errorf("%d frames came", n)
	}
	if !strings.HasSuffix(string(said), "event: end\ndata: {\"reason\":\"closed\"}\n\n") {
		t.Errorf("the end is %q", said[len(said)-80:])
	}
}

// A descriptor's number is another connection's as soon as it is closed: what
// is left of the old stream must not end up there, nor an event of its close
// the new one.
func TestDescriptorsAreReused(t *testing.T) {
	w := start(t, tuning{actors: func(c *actors.Config) { c.BeatEvery = 10 * time.Millisecond }})
	one, other := w.ballot(teaOrCoffee()), w.ballot(teaOrCoffee())
	lasting := w.listen(apiLive(other))
	lasting.await("tally")
	for range 100 {
		conn, _ := w.dial(apiLive(one))
		w.vote(one.ID, "1")
		conn.Close()
		fresh, lines := w.dial(apiLive(other)) // gets the number, sooner or later
		w.vote(one.ID, "2")
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if data, ok := strings.CutPrefix(line, "data: {\"ballot\""); ok {
				if strings.Contains(data, one.ID) || !strings.Contains(data, other.ID) {
					t.Fatalf("another ballot's frame: %s", line)
				}
				break
			}
		}
		fresh.Close()
	}
	w.vote(other.ID, "1")
	for m := lasting.await("tally"); m.version(t) != 2; m = lasting.await("tally") {
		t.Fatalf("the lasting stream has %+v", m)
	}
	lasting.leave()
	w.awaitLoad(0)
}

func TestShutdownCutsViewersWhoDoNotRead(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	hands := w.byHand()
	w.dial(apiLive(b))
	h := <-hands
	filler := []byte(strings.Repeat("x", 16<<20))
	h.do(func(s oponn.Sink) { s.Offer(&oponn.Frame{Version: 1, Bytes: filler}) })
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := w.server.Shutdown(ctx); err == nil {
		t.Error("Shutdown says that all went well")
	}
	<-h.done
}

// Whoever is full says so by 503 to programs and by an event to pages, and a
// stream that ends makes room.
func TestSeatsOfPlainStreamsAreGivenBack(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.MaxStreams = 2 }})
	b := w.ballot(teaOrCoffee())
	for range 3 {
		first, _ := w.dial(apiLive(b))
		second, _ := w.dial(pageLive(b))
		wantProblem(t, w.get(apiLive(b)), http.StatusServiceUnavailable, "busy")
		w.listen(pageLive(b)).await("busy")
		first.Close()
		second.Close()
		w.awaitLoad(0)
	}
}

// unacknowledged returns the bytes that the server's end of a connection holds
// because the peer has not acknowledged them, sent or not.
func unacknowledged(t *testing.T, conn *net.TCPConn) int {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	local, remote := conn.RemoteAddr().(*net.TCPAddr), conn.LocalAddr().(*net.TCPAddr)
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", local.Port)) && strings.HasSuffix(fields[2], fmt.Sprintf(":%04X", remote.Port)) {
			queue, _, _ := strings.Cut(fields[4], ":")
			n, err := strconv.ParseInt(queue, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	t.Fatal("the connection is not in the kernel's table")
	return 0
}

func TestViewersWhoNeverReadHoldLittle(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	hands := w.byHand()
	conn, _ := w.dial(apiLive(b))
	h := <-hands
	for v := range uint64(20_000) {
		h.do(func(s oponn.Sink) { s.Offer(&oponn.Frame{Version: v + 1, Bytes: make([]byte, 1000)}) })
	}
	if n := unacknowledged(t, conn); n == 0 || n > 100_000 {
		t.Errorf("the kernel holds %d bytes for a viewer who never reads", n)
	}
	h.do(func(s oponn.Sink) { s.Close() })
}

// A peer that has vanished, whose packets nobody gets, is noticed without its
// help.
func TestHalfOpenPeersAreReaped(t *testing.T) {
	t.Parallel()
	w := start(t, tuning{actors: func(c *actors.Config) { c.BeatEvery = 200 * time.Millisecond }})
	conn, _ := w.dial(apiLive(w.ballot(teaOrCoffee())))
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var attached error
	if err := raw.Control(func(fd uintptr) {
		everything := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}}
		attached = syscall.AttachLsf(int(fd), everything) //nolint:staticcheck // there is no other in the standard library
	}); err != nil || attached != nil {
		t.Fatal(err, attached)
	}
	w.awaitLoad(0)
}

// serverEnd returns the descriptor of the server's end of a connection.
func serverEnd(t *testing.T, conn *net.TCPConn) int {
	t.Helper()
	port := conn.LocalAddr().(*net.TCPAddr).Port
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range open {
		fd, _ := strconv.Atoi(entry.Name())
		if peer, err := syscall.Getpeername(fd); err == nil {
			if peer, ok := peer.(*syscall.SockaddrInet4); ok && peer.Port == port {
				return fd
			}
		}
	}
	t.Fatal("no descriptor has this peer")
	return 0
}

// TestFramesThatComeSoonTravelTogether: only while they do, and none is kept.
func TestFramesThatComeSoonTravelTogether(t *testing.T) {
	w := start(t, tuning{})
	hands := w.byHand()
	conn, reader := w.dial(apiLive(w.ballot(teaOrCoffee())))
	h := <-hands
	for v, soon := range []bool{false, true, true, true, false, true} {
		h.do(func(s oponn.Sink) {
			s.Offer(&oponn.Frame{Version: uint64(v + 1), Bytes: fmt.Appendf(nil, "frame %d\n", v), Soon: soon})
			noDelay, err := syscall.GetsockoptInt(serverEnd(t, conn), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
			if err != nil || (noDelay == 0) != soon {
				t.Errorf("frame %d, soon %v: TCP_NODELAY is %d, %v", v, soon, noDelay, err)
			}
		})
	}
	for v := 0; v < 6; {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == fmt.Sprintf("frame %d\n", v) {
			v++
		}
	}
	h.do(func(s oponn.Sink) { s.Close() })
}

func TestWritingAFrameAllocatesNothing(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	hands := w.byHand()
	w.dial(apiLive(b))
	frame := &oponn.Frame{Version: 1, Bytes: []byte("id: 1\ndata: x\n\n")}
	(<-hands).do(func(s oponn.Sink) {
		if n := testing.AllocsPerRun(100, func() { s.Offer(frame) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
