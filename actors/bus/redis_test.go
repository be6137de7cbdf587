package bus_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/bus/bustest"
	"github.com/oponn/oponn/actors/bus/redistest"
)

// open opens a bus that is closed with the test.
func open(t testing.TB, url, namespace string, options ...bus.Option) *bus.Redis {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	options = append([]bus.Option{bus.WithNamespace(namespace), bus.WithLogger(slog.New(slog.DiscardHandler))}, options...)
	r, err := bus.OpenRedis(ctx, url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// until waits until something holds, and returns how long that took.
func until(t testing.TB, within time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(begun) > within {
			t.Fatalf("not within %s: %s", within, what)
		}
		<-tick.C
	}
	return time.Since(begun)
}

// well waits until a bus is in good health.
func well(t testing.TB, buses ...*bus.Redis) {
	t.Helper()
	for _, b := range buses {
		until(t, 10*time.Second, "the bus is well", func() bool { return b.Health() == nil })
	}
}

// subscribed waits until a bus is subscribed to what it follows and nothing
// else. Its namespace is its own.
func subscribed(t testing.TB, b *bus.Redis, client *redis.Client, namespace string, sharded bool) {
	t.Helper()
	list := client.PubSubChannels
	if sharded {
		list = client.PubSubShardChannels
	}
	until(t, 10*time.Second, "subscribed as asked", func() bool {
		got, err := list(context.Background(), namespace+":*").Result()
		if err != nil {
			t.Fatal(err)
		}
		want := b.Channels()
		slices.Sort(got)
		slices.Sort(want)
		return slices.Equal(got, want)
	})
}

func TestRedis(t *testing.T) {
	for _, kind := range []struct {
		name    string
		sharded bool
		url     func(testing.TB) string
	}{
		{"single", false, redistest.URL},
		{"cluster found by asking", true, func(t testing.TB) string { return redistest.StartCluster(t).URL }},
		{"cluster by URL", true, func(t testing.TB) string { return redistest.StartCluster(t).URL + "?cluster=true" }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			url := kind.url(t)
			client := redistest.Client(t, strings.TrimSuffix(url, "?cluster=true"))
			var settled func()
			bustest.Run(t, func(t *testing.T) (here, there oponn.Bus) {
				namespace := redistest.Namespace(t)
				a, b := open(t, url, namespace), open(t, url, namespace)
				settled = func() { subscribed(t, b, client, namespace, kind.sharded) }
				well(t, a, b)
				return a, b
			}, func() { settled() })
		})
	}
}

// told collects what a bus tells.
type told struct {
	mu       sync.Mutex
	notices  []oponn.Notice
	resynced map[oponn.BallotID]int
}

func listen(b *bus.Redis) *told {
	l := &told{resynced: make(map[oponn.BallotID]int)}
	b.Receive(func(n oponn.Notice) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.notices = append(l.notices, n)
	})
	b.Resynced(func(ballot oponn.BallotID) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.resynced[ballot]++
	})
	return l
}

func (l *told) resyncs(ballot oponn.BallotID) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resynced[ballot]
}

func (l *told) version(ballot oponn.BallotID) (last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.notices {
		if n.Ballot == ballot {
			last = max(last, n.Head.Version)
		}
	}
	return last
}

func notice(ballot oponn.BallotID, version uint64) oponn.Notice {
	return oponn.Notice{Ballot: ballot, Head: oponn.Head{Ballot: ballot, Version: version, Sealed: []byte("sealed")}}
}

func TestRedisDownAtStart(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *redistest.Server{
		"single":  func(t testing.TB) *redistest.Server { return redistest.Start(t) },
		"cluster": redistest.StartCluster,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.Stop(t)
			begun := time.Now()
			b := open(t, server.URL, "down")
			l := listen(b)
			ballot := oponn.NewBallotID()
			b.Follow(ballot)
			var degraded *bus.DegradedError
			if !errors.As(b.Health(), &degraded) || degraded.Since.Before(begun) || degraded.Cause == nil {
				t.Errorf("health: %v", b.Health())
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := b.Publish(ctx, notice(ballot, 1)); err == nil {
				t.Error("published to nothing")
			}
			if _, err := b.Locks(nil).Acquire(ctx, "work", time.Second); err == nil {
				t.Error("got a lock from nothing")
			}
			server.Start(t)
			t.Logf("well after %s", until(t, 5*time.Second, "well", func() bool { return b.Health() == nil }))
			until(t, 5*time.Second, "told to resync", func() bool { return l.resyncs(ballot) > 0 })
			if err := b.Publish(ctx, notice(ballot, 2)); err != nil {
				t.Fatal(err)
			}
			until(t, 5*time.Second, "the notice", func() bool { return l.version(ballot) == 2 })
		})
	}
}

func TestRedisTLS(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	tap := newTap(t, strings.TrimPrefix(redistest.URL(t), "redis://"), &tls.Config{Certificates: https.TLS.Certificates, MinVersion: tls.VersionTLS12})
	namespace := redistest.Namespace(t)
	b := open(t, "rediss://"+tap.address+"?skip_verify=true", namespace)
	well(t, b)
	l, ballot := listen(b), oponn.NewBallotID()
	b.Follow(ballot)
	until(t, 5*time.Second, "subscribed", func() bool { return l.resyncs(ballot) == 1 })
	if err := b.Publish(t.Context(), notice(ballot, 2)); err != nil {
		t.Fatal(err)
	}
	until(t, 5*time.Second, "the notice", func() bool { return l.version(ballot) == 2 })
	var unknown *tls.CertificateVerificationError
	if err := open(t, "rediss://"+tap.address, namespace).Health(); !errors.As(err, &unknown) {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
}

func TestOpenRedisRefuses(t *testing.T) {
	for _, url := range []string{"", "http://localhost", "redis://user:hunter2@bad host", "redis://:hunter2@localhost:99x9",
		"redis://:hunter2@localhost/notanumber", "redis://:hunter2@localhost?no_such_option=1", "redis://:hunter2@localhost/1?cluster=true&no=1"} {
		b, err := bus.OpenRedis(context.Background(), url)
		if err == nil {
			_ = b.Close()
			t.Errorf("%q was opened", url)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the password is in %q", url, err)
		}
	}
	if b, err := bus.OpenRedis(context.Background(), "redis://localhost", bus.WithNamespace("a{b}")); err == nil {
		_ = b.Close()
		t.Error("a namespace with braces was taken")
	}
}

func TestRedisForgeries(t *testing.T) {
	url, namespace := redistest.URL(t), redistest.Namespace(t)
	b, client := open(t, url, namespace), redistest.Client(t, url)
	l := listen(b)
	ballot, other := oponn.NewBallotID(), oponn.NewBallotID()
	b.Follow(ballot)
	subscribed(t, b, client, namespace, false)
	for _, n := range []oponn.Notice{notice(other, 9), {Ballot: other, Gone: true}} {
		swapped, err := bus.EncodeNotice(n)
		if err != nil {
			t.Fatal(err)
		}
		client.Publish(context.Background(), b.Channel(ballot), swapped)
	}
	for _, junk := range []string{"", "\x01", "hello", string(make([]byte, 1<<20)), `{"version":9}`} {
		client.Publish(context.Background(), b.Channel(ballot), junk)
		client.Publish(context.Background(), namespace+":1:{0}:keepalive", junk)
	}
	if err := b.Publish(context.Background(), notice(ballot, 3)); err != nil {
		t.Fatal(err)
	}
	until(t, 5*time.Second, "the true notice", func() bool { return l.version(ballot) == 3 })
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.notices) != 1 {
		t.Errorf("%d notices came, want 1: %+v", len(l.notices), l.notices)
	}
}

func TestRedisHeals(t *testing.T) {
	t.Run("connections are killed during a stream of notices", func(t *testing.T) {
		server := redistest.Start(t)
		here, there := open(t, server.URL, "kill"), open(t, server.URL, "kill")
		l, client := listen(there), redistest.Client(t, server.URL)
		ballots := make([]oponn.BallotID, 50)
		for i := range ballots {
			ballots[i] = oponn.NewBallotID()
			there.Follow(ballots[i])
		}
		subscribed(t, there, client, "kill", false)
		ctx, cancel := context.WithCancel(t.Context())
		var publishing sync.WaitGroup
		publishing.Go(func() {
			for version := uint64(1); ctx.Err() == nil; version++ {
				_ = here.Publish(context.Background(), notice(ballots[version%50], version))
			}
		})
		var worst time.Duration
		for range 20 {
			before := make(map[oponn.BallotID]int)
			for _, ballot := range ballots {
				before[ballot] = l.resyncs(ballot)
			}
			if n := client.ClientKillByFilter(context.Background(), "TYPE", "pubsub").Val(); n == 0 {
				t.Fatal("nothing to kill")
			}
			worst = max(worst, until(t, 2*time.Second, "every ballot resynced", func() bool {
				return !slices.ContainsFunc(ballots, func(b oponn.BallotID) bool { return l.resyncs(b) == before[b] })
			}))
			subscribed(t, there, client, "kill", false) // and the old connection is gone
		}
		cancel()
		publishing.Wait()
		t.Logf("slowest of 20 repairs: %s", worst)
	})
	t.Run("a connection that is only silent is made anew", func(t *testing.T) {
		server := redistest.Start(t, "--enable-debug-command", "yes")
		b := open(t, server.URL, "silent", bus.WithBeat(50*time.Millisecond))
		l, ballot := listen(b), oponn.NewBallotID()
		b.Follow(ballot)
		until(t, 5*time.Second, "subscribed", func() bool { return l.resyncs(ballot) == 1 })
		client := redistest.Client(t, server.URL)
		if err := client.Do(context.Background(), "DEBUG", "SLEEP", "0.5").Err(); err != nil {
			t.Fatal(err)
		}
		until(t, 5*time.Second, "subscribed again", func() bool { return l.resyncs(ballot) > 1 && b.Health() == nil })
	})
	t.Run("a cluster's connections too", func(t *testing.T) {
		server := redistest.StartCluster(t)
		b := open(t, server.URL, "cluster")
		l, client := listen(b), redistest.Client(t, server.URL)
		ballot := oponn.NewBallotID()
		b.Follow(ballot)
		until(t, 5*time.Second, "subscribed", func() bool { return l.resyncs(ballot) == 1 })
		client.ClientKillByFilter(context.Background(), "TYPE", "pubsub")
		until(t, 2*time.Second, "subscribed again", func() bool { return l.resyncs(ballot) == 2 && b.Health() == nil })
		server.Stop(t)
		until(t, 5*time.Second, "degraded", func() bool { return b.Health() != nil })
		server.Start(t)
		until(t, 5*time.Second, "subscribed again", func() bool { return l.resyncs(ballot) == 3 && b.Health() == nil })
		if err := b.Publish(context.Background(), notice(ballot, 5)); err != nil {
			t.Fatal(err)
		}
		until(t, 5*time.Second, "the notice", func() bool { return l.version(ballot) == 5 })
	})
}
