package voters

import (
	"math"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// TestDriver_ServesWhatItCan wants the cheap way to be the one that is taken.
func TestDriver_ServesWhatItCan(t *testing.T) {
	t.Parallel()
	s := serve(t, counted)
	for name, test := range map[string]struct {
		change func(*Config)
		scheme string
		want   bool
	}{
		"API":     {change: func(*Config) {}, scheme: "http", want: true},
		"TLS":     {change: func(*Config) {}, scheme: "https"},
		"Form":    {change: func(c *Config) { c.Form = true }, scheme: "http"},
		"Repeats": {change: func(c *Config) { c.Repeats = 0.1 }, scheme: "http"},
		"Waiter":  {change: func(c *Config) { c.Wait = ordinaryWaiter{} }, scheme: "http"},
	} {
		c := openPlan(t, nil, patient, &server{target: &url.URL{Scheme: test.scheme, Host: s.target.Host}})
		test.change(&c)
		if d := newTestDriver(t, c); (d != nil) != test.want {
			t.Errorf("%s: driven %v, want %v", name, d != nil, test.want)
		}
	}
}

// TestDriver_ConnectsAhead has connections wait for the first vote, not the
// other way round.
func TestDriver_ConnectsAhead(t *testing.T) {
	t.Parallel()
	s := serve(t, counted)
	dead := &server{target: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}
	d := newTestDriver(t, openPlan(t, nil, patient, s, dead))
	d.connect()
	for i := range d.seats {
		if open := d.seats[i].wire.FD() >= 0; open != (i%2 == 0) {
			t.Errorf("connection %d is open: %v", i, open)
		}
	}
	if s.came().requests != 0 {
		t.Errorf("%d requests came", s.came().requests)
	}
}

// newTestDriver returns a driver that is ready to turn; nil if there is none.
func newTestDriver(t testing.TB, c Config) *driver {
	t.Helper()
	load, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	conns := make([]wire.Conn, c.Connections)
	for i := range conns {
		if conns[i], err = c.Dial(i); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conns[i].Close)
	}
	load.queue = newQueue()
	d, ok := newDriver(t.Context(), load, conns)
	if !ok {
		return nil
	}
	d.start()
	t.Cleanup(func() {
		for i := range d.seats {
			d.seats[i].wire.Close()
		}
		d.poller.close()
	})
	return d
}

// steady is a server that allocates nothing for a request.
func steady(t testing.TB) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	text := []byte(counted(6).text)
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
					if _, err := c.Read(b); err != nil {
						return
					}
					if _, err := c.Write(text); err != nil {
						return
					}
				}
			}()
		}
	}()
	return &server{target: &url.URL{Scheme: "http", Host: l.Addr().String()}}
}

// busy is a driver that always has a vote to cast, and what casts some.
func busy(t testing.TB) (cast func(votes int64)) {
	t.Helper()
	c := openPlan(t, nil, patient, steady(t))
	c.Rate, c.Duration = 1e6, time.Hour
	d := newTestDriver(t, c)
	if d == nil {
		t.Fatal("no driver")
	}
	cast = func(votes int64) {
		for until := d.load.Progress().Acknowledged + votes; d.load.Progress().Acknowledged < until; {
			if !d.turn() {
				t.Fatal("no more votes")
			}
		}
	}
	cast(100 * int64(c.Connections)) // until all are connected, and buffers have grown
	return cast
}

func TestDriver_AllocatesNothing(t *testing.T) {
	cast := busy(t)
	if allocs := testing.AllocsPerRun(100, func() { cast(10) }); allocs != 0 {
		t.Errorf("%v allocations for ten votes, want none", allocs)
	}
}

func BenchmarkDriver_Vote(b *testing.B) {
	cast := busy(b)
	b.ReportAllocs()
	b.ResetTimer()
	cast(int64(b.N))
}

// TestDriver_RestsBetweenBeats where votes come fast, and only when nothing is to
// be done.
func TestDriver_RestsBetweenBeats(t *testing.T) {
	t.Parallel()
	const later = math.MaxInt64
	for name, test := range map[string]struct {
		rate  float64
		due   int64
		more  bool
		rests bool
	}{
		"fast":               {rate: flood + 1, due: later, rests: true},
		"slow":               {rate: flood, due: later},
		"a vote is due":      {rate: flood + 1},
		"more has come":      {rate: flood + 1, due: later, more: true},
		"and a vote is due":  {rate: flood + 1, more: true},
		"slow, and it's due": {rate: flood},
	} {
		c := openPlan(t, nil, patient, serve(t, counted))
		c.Rate = test.rate
		d := newTestDriver(t, c)
		d.poller.more = test.more
		begin := monotonic.Now()
		d.met = begin
		d.rest(test.due)
		if rested := monotonic.Now() >= begin+int64(beat) && d.met == begin+int64(beat); rested != test.rests {
			t.Errorf("%s: rested %v, want %v", name, rested, test.rests)
		}
	}
}

// TestPoller_WaitsUntilATime and no longer; and not at all when it is woken.
func TestPoller_WaitsUntilATime(t *testing.T) {
	t.Parallel()
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for range 3 {
		at := monotonic.Now() + int64(time.Millisecond)
		for now := monotonic.Now(); now < at; now = monotonic.Now() {
			if ready := p.wait(at, now); len(ready) > 0 {
				t.Fatalf("%d are ready", len(ready))
			}
		}
	}
	go p.wake()
	if ready := p.wait(1<<62, monotonic.Now()); len(ready) != 1 || ready[0].Fd != aboutWake {
		t.Fatalf("ready %v, want the wake", ready)
	}
}
