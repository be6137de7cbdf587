package reactor_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn/http/reactor"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// size is the most that is read at once.
const size = 128

// lines is a server of lines: "now …" is answered with what follows, "later …"
// too, once the test lets it, "last …" as the last. "long" is answered with
// megabytes, and over "panic" it panics. Everything else is for elsewhere.
type lines struct {
	waiting chan func() // what to call for an answer to a "later"
	answer  string
	last    bool
}

func (s *lines) Begin(arrived []byte, answered func()) reactor.Verdict {
	line, rest, whole := strings.Cut(string(arrived), "\n")
	if !whole || rest != "" {
		return reactor.Elsewhere
	}
	what, text, _ := strings.Cut(line, " ")
	s.answer, s.last = text+"\n", what == "last"
	switch what {
	case "now", "last":
		return reactor.Answered
	case "long":
		s.answer = long
		return reactor.Answered
	case "later":
		s.waiting <- answered
		return reactor.Later
	case "panic":
		panic("a bug")
	}
	return reactor.Elsewhere
}

func (s *lines) Done() {}

func (s *lines) Answer() (answer []byte, last bool) { return []byte(s.answer), s.last }

// long is more than sockets take.
var long = strings.Repeat("0123456789abcde\n", 1<<20)

// guest is a connection that a reactor looks after, from both ends.
type guest struct {
	t        *testing.T
	peer     *net.TCPConn
	answers  *bufio.Reader
	original *net.TCPConn
	server   *lines
	terms    reactor.Terms
	resident *reactor.Resident
	left     chan reactor.Departure
}

// start starts a reactor that ends with the test.
func start(t *testing.T, cfg reactor.Config) *reactor.Reactor {
	t.Helper()
	if cfg.Idle == 0 {
		cfg.Idle = time.Hour
	}
	r := reactor.New(cfg)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// connect returns both ends of a connection.
func connect(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	if err := dialed.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

// admit has a reactor look after a new connection.
func admit(t *testing.T, r *reactor.Reactor, terms ...func(*reactor.Terms)) *guest {
	t.Helper()
	g := &guest{t: t, server: &lines{waiting: make(chan func(), 1)}, left: make(chan reactor.Departure, 1)}
	g.original, g.peer = connect(t)
	g.answers = bufio.NewReader(g.peer)
	g.terms = reactor.Terms{Most: size, Departed: func(d reactor.Departure) { g.left <- d }}
	for _, change := range terms {
		change(&g.terms)
	}
	if g.resident = r.Admit(g.original, g.terms, g.server); g.resident == nil {
		t.Fatal("it is not admitted")
	}
	return g
}

func (g *guest) say(line string) {
	g.t.Helper()
	if _, err := io.WriteString(g.peer, line); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) hears(want string) {
	g.t.Helper()
	if got, err := g.answers.ReadString('\n'); got != want+"\n" || err != nil {
		g.t.Fatalf("%q was answered, %v; want %q", got, err, want)
	}
}

// hearsEnd fails unless nothing is to be read any more.
func (g *guest) hearsEnd() {
	g.t.Helper()
	if got, err := io.ReadAll(g.answers); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		g.t.Errorf("%q came, %v, instead of the end", got, err)
	}
}

// departs returns how the connection leaves.
func (g *guest) departs() reactor.Departure {
	g.t.Helper()
	select {
	case d := <-g.left:
		return d
	case <-time.After(patience):
		g.t.Fatal("it stays")
		return reactor.Departure{}
	}
}

// goesOn returns how the connection leaves, and the connection.
func (g *guest) goesOn() (*net.TCPConn, reactor.Departure) {
	g.t.Helper()
	d := g.departs()
	if d.Err != nil {
		g.t.Fatalf("it leaves with %v", d.Err)
	}
	conn, err := d.Conn()
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	return conn, d
}

// departsWith fails unless the connection leaves with an error.
func (g *guest) departsWith(want error) {
	g.t.Helper()
	if d := g.departs(); !errors.Is(d.Err, want) {
		g.t.Errorf("it leaves with %+v, want %v", d, want)
	}
}

func TestReactor_Answers(t *testing.T) {
	g := admit(t, start(t, reactor.Config{}))
	for n := range 3 {
		g.say(fmt.Sprintf("now %d\n", n))
		g.hears(fmt.Sprint(n))
		g.say(fmt.Sprintf("later %d\n", 10+n))
		answered := <-g.server.waiting
		go answered()
		g.hears(fmt.Sprint(10 + n))
	}
	g.say("later waits\n")
	answered := <-g.server.waiting
	g.say("now is after it\n")
	answered()
	g.hears("waits")
	g.hears("is after it")
	g.say("last goes\n")
	g.hears("goes")
	g.departsWith(io.EOF)
	g.hearsEnd()
	if _, err := g.original.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the original: %v", err)
	}
}

// TestReactor_Many has many connections ask at once, each for answers now and
// later, and half of them leave in between.
func TestReactor_Many(t *testing.T) {
	r := start(t, reactor.Config{Loops: 3})
	var wait sync.WaitGroup
	for range 100 {
		g := admit(t, r)
		wait.Go(func() {
			for answered := range g.server.waiting {
				go answered()
			}
		})
		wait.Go(func() {
			defer close(g.server.waiting)
			for n := range 50 {
				g.say(fmt.Sprintf("now %d\n", n))
				g.hears(fmt.Sprint(n))
				g.say(fmt.Sprintf("later %d\n", n))
				g.hears(fmt.Sprint(n))
			}
			g.peer.Close()
			g.departsWith(io.EOF)
		})
	}
	wait.Wait()
}

func TestReactor_Elsewhere(t *testing.T) {
	for name, said := range map[string]string{
		"what it does not know": "hello\n",
		"two at once":           "now 1\nnow 2\n",
		"half of one":           "now",
		"as much as it reads":   strings.Repeat("x", size),
	} {
		t.Run(name, func(t *testing.T) {
			g := admit(t, start(t, reactor.Config{}))
			g.say("now first\n")
			g.hears("first")
			g.say(said)
			conn, d := g.goesOn()
			if string(d.Arrived) != said || len(d.Unsent) > 0 {
				t.Fatalf("it leaves with %q, %q", d.Arrived, d.Unsent)
			}
			if _, err := io.WriteString(conn, "goes on\n"); err != nil {
				t.Fatal(err)
			}
			g.hears("goes on")
			g.say("now on\n")
			if line, err := bufio.NewReader(conn).ReadString('\n'); line != "now on\n" || err != nil {
				t.Errorf("then %q arrives, %v", line, err)
			}
		})
	}
}

// TestReactor_WaitsForNobody: the answer to a peer that does not read is finished
// by somebody else.
func TestReactor_WaitsForNobody(t *testing.T) {
	r := start(t, reactor.Config{Loops: 1})
	g, other := admit(t, r), admit(t, r)
	g.say("long\n")
	conn, d := g.goesOn()
	other.say("now here\n")
	other.hears("here")
	if len(d.Unsent) == 0 || !strings.HasSuffix(long, string(d.Unsent)) {
		t.Fatalf("%d bytes are unsent", len(d.Unsent))
	}
	go conn.Write(d.Unsent)
	got := make([]byte, len(long))
	if _, err := io.ReadFull(g.answers, got); err != nil || string(got) != long {
		t.Errorf("something else was read, %v", err)
	}
}

func TestReactor_PeerLeaves(t *testing.T) {
	for name, leave := range map[string]func(*guest){
		"at rest": func(g *guest) { g.peer.Close() },
		"with its last request": func(g *guest) {
			g.say("now bye\n")
			g.peer.CloseWrite()
			g.hears("bye")
		},
		"before it is answered": func(g *guest) {
			g.say("later bye\n")
			answered := <-g.server.waiting
			g.peer.CloseWrite()
			answered()
			g.hears("bye")
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := admit(t, start(t, reactor.Config{}))
			leave(g)
			g.departsWith(io.EOF)
		})
	}
	t.Run("with a reset", func(t *testing.T) {
		g := admit(t, start(t, reactor.Config{}))
		g.peer.SetLinger(0)
		g.peer.Close()
		if d := g.departs(); d.Err == nil {
			t.Errorf("it leaves with %+v", d)
		}
	})
}

func TestReactor_Cut(t *testing.T) {
	r := start(t, reactor.Config{})
	rests := admit(t, r)
	rests.resident.Cut()
	rests.departsWith(net.ErrClosed)
	rests.hearsEnd()
	rests.resident.Cut()

	works := admit(t, r)
	works.say("later never\n")
	answered := <-works.server.waiting
	works.resident.Cut()
	works.hearsEnd()
	answered()
	works.departsWith(net.ErrClosed)
}

func TestReactor_Idle(t *testing.T) {
	g := admit(t, start(t, reactor.Config{Idle: time.Millisecond}))
	g.departsWith(os.ErrDeadlineExceeded)
	g.hearsEnd()

	// The first request may be waited for for less.
	g = admit(t, start(t, reactor.Config{Idle: 10 * time.Millisecond}), func(terms *reactor.Terms) { terms.First = time.Nanosecond })
	g.departsWith(os.ErrDeadlineExceeded)

	// Whoever waits for an answer is not idle.
	r := start(t, reactor.Config{Idle: time.Millisecond})
	var working *guest
	for working == nil {
		g := admit(t, r)
		io.WriteString(g.peer, "later comes\n")
		select {
		case answered := <-g.server.waiting:
			idle := admit(t, r)
			idle.departsWith(os.ErrDeadlineExceeded) // they are swept together
			answered()
			g.hears("comes")
			working = g
		case <-g.left: // too late
		}
	}
	working.departsWith(os.ErrDeadlineExceeded)
}

func TestReactor_Panics(t *testing.T) {
	var failed atomic.Value
	r := start(t, reactor.Config{Loops: 1, Failed: func(reason any) { failed.Store(reason) }})
	g, other := admit(t, r), admit(t, r)
	g.say("panic\n")
	g.departsWith(net.ErrClosed)
	if failed.Load() != "a bug" {
		t.Errorf("told of %v", failed.Load())
	}
	other.say("now on\n")
	other.hears("on")
}

func TestReactor_Close(t *testing.T) {
	r := start(t, reactor.Config{})
	rests, works := admit(t, r), admit(t, r)
	works.say("later never\n")
	answered := <-works.server.waiting
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	rests.departsWith(net.ErrClosed)
	works.hearsEnd()
	answered()
	works.departsWith(net.ErrClosed)

	here, there := connect(t)
	if r.Admit(here, reactor.Terms{Most: size}, &lines{}) != nil {
		t.Fatal("it admits somebody still")
	}
	if _, err := io.WriteString(here, "stays\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(there).ReadString('\n'); line != "stays\n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

// TestReactor_Descriptors: none is left of those who have.
func TestReactor_Descriptors(t *testing.T) {
	r := start(t, reactor.Config{})
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	run := func() {
		for n := range 20 {
			g := admit(t, r)
			if n%2 == 0 {
				g.say("hello\n")
				conn, _ := g.goesOn()
				conn.Close()
			} else {
				g.say("last bye\n")
				g.departsWith(io.EOF)
			}
			g.peer.Close()
		}
	}
	run()
	before := count()
	run()
	if after := count(); after > before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}
