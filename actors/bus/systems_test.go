package bus_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/persistence/storetest"
)

// instances are two actor systems on one store, with a bus each, and a viewer
// at the second.
type instances struct {
	t      *testing.T
	a, b   *actors.System
	busA   *bus.Redis
	busB   *bus.Redis
	ballot oponn.BallotID
	screen *screen
	votes  int
}

const question = "Shall we have cake or fruit in the break?"

func newInstances(t *testing.T, url, namespace string, tune func(*actors.Config)) *instances {
	t.Helper()
	i := &instances{t: t, busA: open(t, url, namespace), busB: open(t, url, namespace), screen: &screen{}}
	store := storetest.NewMemory()
	start := func(store oponn.Store, b oponn.Bus) *actors.System {
		cfg := actors.Config{Store: store, Keys: storetest.Keys(), Bus: b, Logger: slog.New(slog.DiscardHandler)}
		if tune != nil {
			tune(&cfg)
		}
		s, err := actors.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := s.Drain(ctx); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	i.a, i.b = start(store, i.busA), start(store.Sibling(), i.busB)
	created, err := i.a.Create(t.Context(), oponn.Draft{Question: question, Options: []string{"cake", "fruit"}, AllowWriteIn: true}, oponn.OwnerID{})
	if err != nil {
		t.Fatal(err)
	}
	i.ballot = created.Snapshot.Ballot.ID
	group := &oponn.Group{Name: "test", Render: func(s oponn.Snapshot) ([]byte, int) {
		return fmt.Appendf(nil, "%d of %d", s.State.Voters, len(s.Results())), 0
	}}
	if _, err := i.b.Watch(t.Context(), i.ballot, oponn.Viewer{Group: group, Sink: i.screen}); err != nil {
		t.Fatal(err)
	}
	i.sees(5*time.Second, "0 of 2")
	return i
}

// follows waits until the second instance is subscribed to the ballot.
func (i *instances) follows(url string) {
	i.t.Helper()
	client := redistest.Client(i.t, url)
	channel := i.busB.Channel(i.ballot)
	until(i.t, 5*time.Second, "following", func() bool {
		return client.PubSubNumSub(context.Background(), channel).Val()[channel] > 0
	})
}

// cast casts a vote at the first instance.
func (i *instances) cast(writeIn string) {
	i.t.Helper()
	c := oponn.Cast{Ballot: i.ballot, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), WriteIn: writeIn}
	if writeIn == "" {
		c.Choices = []oponn.OptionID{"1"}
	}
	if _, err := i.a.Cast(i.t.Context(), c); err != nil {
		i.t.Fatalf("Cast: %v", err)
	}
	i.votes++
}

// sees waits until the viewer sees something, and returns how long that took.
func (i *instances) sees(within time.Duration, want string) time.Duration {
	i.t.Helper()
	return until(i.t, within, "the viewer sees "+want, func() bool { return i.screen.last() == want })
}

// screen is a viewer that takes everything at once.
type screen struct {
	mu     sync.Mutex
	frames []oponn.Frame
	ended  bool
}

func (s *screen) Offer(f *oponn.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, *f)
}

func (s *screen) Beat() {}

func (s *screen) End(oponn.EndReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *screen) Flush() oponn.Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return oponn.Progress{Done: s.ended}
}

func (s *screen) Close() {}

func (s *screen) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frames) == 0 {
		return ""
	}
	return string(s.frames[len(s.frames)-1].Bytes)
}

func (s *screen) rising(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.frames); i++ {
		if s.frames[i].Version <= s.frames[i-1].Version {
			t.Errorf("version %d follows %d", s.frames[i].Version, s.frames[i-1].Version)
		}
	}
}

// slowly makes the sweep so rare that only the bus can be what was quick.
func slowly(c *actors.Config) { c.Freshness = time.Minute }

func TestTwoInstances(t *testing.T) {
	t.Run("a viewer elsewhere sees votes at once, also when connections are killed", func(t *testing.T) {
		server := redistest.Start(t)
		i := newInstances(t, server.URL, "two", slowly)
		i.follows(server.URL)
		client := redistest.Client(t, server.URL)
		var worst, worstKilled time.Duration
		best := time.Hour
		for n := 1; n <= 10; n++ {
			i.cast("")
			took := i.sees(time.Second, fmt.Sprintf("%d of 2", n))
			worst, best = max(worst, took), min(best, took)
		}
		for n := 11; n <= 20; n++ {
			client.ClientKillByFilter(t.Context(), "TYPE", "pubsub")
			i.cast("") // what is published now may be lost: only the resync tells of it
			worstKilled = max(worstKilled, i.sees(2*time.Second, fmt.Sprintf("%d of 2", n)))
		}
		i.cast("ice cream")
		i.sees(time.Second, "21 of 3")
		i.screen.rising(t)
		t.Logf("vote to frame elsewhere: %s to %s (frames are 100 ms apart); with the connections killed just before: at most %s", best, worst, worstKilled)
	})
	t.Run("without Redis it heals from the store, with it again at once", func(t *testing.T) {
		server := redistest.Start(t)
		i := newInstances(t, server.URL, "two", nil)
		i.follows(server.URL)
		i.cast("")
		i.sees(time.Second, "1 of 2")
		server.Stop(t)
		var worst time.Duration
		for n := 2; n <= 4; n++ {
			i.cast("")
			worst = max(worst, i.sees(2*time.Second, fmt.Sprintf("%d of 2", n)))
		}
		if i.busB.Health() == nil {
			t.Error("the bus says that it is well")
		}
		server.Start(t)
		back := until(t, 5*time.Second, "well", func() bool { return i.busA.Health() == nil && i.busB.Health() == nil })
		i.follows(server.URL)
		var quick int
		for n := 5; n <= 14; n++ {
			i.cast("")
			if i.sees(2*time.Second, fmt.Sprintf("%d of 2", n)) < 300*time.Millisecond {
				quick++
			}
		}
		if quick < 9 { // the pool that publishes may be a second behind
			t.Errorf("only %d of 10 votes were seen at once", quick)
		}
		i.screen.rising(t)
		t.Logf("healed from the store within %s; well %s after Redis came back; %d of 10 at once then", worst, back, quick)
	})
	t.Run("what is forged or replayed changes nothing and hinders nothing", func(t *testing.T) {
		server := redistest.Start(t)
		i := newInstances(t, server.URL, "two", nil)
		i.follows(server.URL)
		client := redistest.Client(t, server.URL)
		channel := i.busB.Channel(i.ballot)
		tap := client.Subscribe(t.Context(), channel)
		defer tap.Close()
		messages := tap.Channel()
		i.follows(server.URL)
		until(t, 5*time.Second, "tapped", func() bool { return client.PubSubNumSub(t.Context(), channel).Val()[channel] == 2 })
		for n := 1; n <= 3; n++ {
			i.cast("")
			i.sees(2*time.Second, fmt.Sprintf("%d of 2", n))
		}
		old := (<-messages).Payload
		genuine, err := bus.DecodeNotice(old)
		if err != nil {
			t.Fatal(err)
		}
		forged := [][]byte{[]byte(old), []byte("junk")} // and, at last, a Gone
		for _, forge := range []func(*oponn.Notice){
			func(n *oponn.Notice) { n.Head.Version = 1 << 60 },
			func(n *oponn.Notice) { n.Head.Sealed = []byte("not sealed at all") },
			func(n *oponn.Notice) { n.Head.Version, n.Head.WriteIns = 99, 150 },
			func(n *oponn.Notice) { *n = oponn.Notice{Ballot: n.Ballot, Gone: true} },
		} {
			n := genuine
			forge(&n)
			b, err := bus.EncodeNotice(n)
			if err != nil {
				t.Fatal(err)
			}
			forged = append(forged, b)
		}
		flood := func(with [][]byte) (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			var flooding sync.WaitGroup
			flooding.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					client.Publish(context.Background(), channel, with[n%len(with)])
				}
			})
			return func() { cancel(); flooding.Wait() }
		}
		stop := flood(forged)
		var worst time.Duration
		for n := 4; n <= 8; n++ {
			i.cast("")
			worst = max(worst, i.sees(2*time.Second, fmt.Sprintf("%d of 2", n)))
		}
		stop()
		// With the bus of the voter's side gone, the flood alone must not pass
		// for signs of life: the store is asked.
		_ = i.busA.Close()
		stop = flood(forged[:len(forged)-1])
		var healed time.Duration
		for n := 9; n <= 11; n++ {
			i.cast("")
			healed = max(healed, i.sees(2*time.Second, fmt.Sprintf("%d of 2", n)))
		}
		stop()
		i.screen.rising(t)
		t.Logf("under a flood of forgeries votes are seen within %s, without true notices within %s", worst, healed)
	})
}

// TestRedisSeesNoPlaintext reads every byte that goes to Redis.
func TestRedisSeesNoPlaintext(t *testing.T) {
	url := redistest.URL(t)
	tap := newTap(t, strings.TrimPrefix(url, "redis://"), nil)
	i := newInstances(t, "redis://"+tap.address, redistest.Namespace(t), nil)
	i.follows(url)
	for n := 1; n <= 7; n++ {
		i.cast("")
	}
	i.cast("marzipan")
	i.sees(5*time.Second, "8 of 3")
	_ = i.busA.Close()
	_ = i.busB.Close()
	seen := tap.bytes()
	if !bytes.Contains(seen, []byte(i.ballot.String())) {
		t.Fatal("the tap saw nothing of the ballot")
	}
	for _, secret := range []string{question, "cake", "fruit", "marzipan", `"counts"`, `"voters"`, `"status"`, "open", "[7,0,1]", "[7,0"} {
		for _, spelling := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%x", secret)} {
			if bytes.Contains(seen, []byte(spelling)) {
				t.Errorf("%q went to Redis", spelling)
			}
		}
	}
}

// tap is a proxy that keeps all that it passes on, both ways.
type tap struct {
	address string
	mu      sync.Mutex
	seen    bytes.Buffer
}

// newTap opens a proxy, with TLS if that is given.
func newTap(t *testing.T, target string, encrypt *tls.Config) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if encrypt != nil {
		l = tls.NewListener(l, encrypt)
	}
	t.Cleanup(func() { l.Close() })
	p := &tap{address: l.Addr().String()}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				return
			}
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					defer way[1].Close()
					_, _ = io.Copy(way[1], io.TeeReader(way[0], p))
				}()
			}
		}
	}()
	return p
}

// Write implements io.Writer.
func (p *tap) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.Write(b)
}

func (p *tap) bytes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.seen.Bytes())
}
