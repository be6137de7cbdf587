package limit_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/http/limit"
)

// direct runs scripts as the bus does.
type direct struct{ client redis.UniversalClient }

func (d direct) Run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	return script.Run(ctx, d.client, keys, args...).Result()
}

var budget = limit.Budget{Name: "joins", Units: 60, Period: time.Hour, Shared: true}

func shared(t *testing.T, scripts limit.Scripts, namespace, secret string) limit.Limiter {
	t.Helper()
	sharer, err := limit.NewSharer(scripts, namespace, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return sharer.Limiter(budget)
}

func give(t *testing.T, l limit.Limiter, key string, n int) {
	t.Helper()
	if err := l.Return(t.Context(), key, n); err != nil {
		t.Fatal(err)
	}
}

func TestShared(t *testing.T) {
	client, namespace := redistest.Client(t, redistest.URL(t)), redistest.Namespace(t)
	a, b := shared(t, direct{client}, namespace, "a secret"), shared(t, direct{client}, namespace, "a secret")
	if take(t, a, "192.0.2.1", 40) != 0 || take(t, b, "192.0.2.1", 20) != 0 {
		t.Fatal("the budget is smaller than it should be")
	}
	for _, l := range []limit.Limiter{a, b} {
		if wait := take(t, l, "192.0.2.1", 2); wait < time.Minute || wait > 2*time.Minute {
			t.Errorf("an empty budget makes wait %v for two", wait)
		}
	}
	give(t, b, "192.0.2.1", 10)
	if take(t, a, "192.0.2.1", 10) != 0 || take(t, a, "192.0.2.1", 2) == 0 {
		t.Error("what was given back isn't there, or more")
	}
	give(t, a, "192.0.2.1", 1000)
	if take(t, a, "192.0.2.1", 60) != 0 || take(t, a, "192.0.2.1", 2) == 0 {
		t.Error("a budget that was given too much back isn't exactly full")
	}
	if take(t, a, "192.0.2.2", 60) != 0 || take(t, a, "192.0.2.3", 61) == 0 {
		t.Error("another key has no budget of its own, or more than one")
	}
}

// Redis keeps nothing that is full, nothing for ever, and no address.
func TestShared_WhatRedisLearns(t *testing.T) {
	client, namespace := redistest.Client(t, redistest.URL(t)), redistest.Namespace(t)
	l := shared(t, direct{client}, namespace, "a secret")
	keys := func() []string {
		list, err := client.Keys(t.Context(), namespace+":*").Result()
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	take(t, l, "192.0.2.1", 60)
	take(t, l, "192.0.2.2", 1)
	give(t, l, "192.0.2.2", 1)
	names := keys()
	if len(names) != 1 || strings.Contains(names[0], "192") {
		t.Fatalf("the names are %v", names)
	}
	if left := client.PTTL(t.Context(), names[0]).Val(); left <= 0 || left > time.Hour {
		t.Errorf("it ends in %v", left)
	}
	if value := client.Get(t.Context(), names[0]).Val(); strings.Contains(value, "192") {
		t.Errorf("the value is %s", value)
	}
	take(t, shared(t, direct{client}, namespace, "another secret"), "192.0.2.1", 1)
	if got := keys(); len(got) != 2 {
		t.Errorf("under another secret the name is the same: %v", got)
	}
}

func TestShared_RedisAway(t *testing.T) {
	server := redistest.Start(t)
	l := shared(t, direct{redistest.Client(t, server.URL)}, "away", "a secret")
	if take(t, l, "a", 60) != 0 {
		t.Fatal("nothing was given")
	}
	server.Stop(t)
	if take(t, l, "a", 60) != 0 {
		t.Error("without Redis it doesn't count for itself")
	}
	if take(t, l, "a", 2) == 0 {
		t.Error("without Redis it doesn't count")
	}
}

// slow is a Redis that never answers.
type slow struct {
	mu    sync.Mutex
	asked int
	fine  bool
}

func (s *slow) Run(ctx context.Context, _ *redis.Script, _ []string, _ ...any) (any, error) {
	s.mu.Lock()
	s.asked++
	fine := s.fine
	s.mu.Unlock()
	if fine {
		return int64(0), nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestShared_NeverWaitsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		redis := &slow{}
		l := shared(t, redis, "slow", "a secret")
		gone, leave := context.WithCancel(t.Context())
		leave() // whoever asks may have left, which is no fault of Redis
		begin := time.Now()
		if wait, err := l.Take(gone, "a", 60); wait != 0 || err != nil {
			t.Errorf("wait %v, error %v", wait, err)
		}
		if took := time.Since(begin); took != 50*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		for range 100 { // the crowd behind doesn't wait at all
			take(t, l, "b", 1)
		}
		if took := time.Since(begin); took != 50*time.Millisecond || redis.asked != 1 {
			t.Errorf("it took %v, and Redis was asked %d times", took, redis.asked)
		}
		redis.fine = true
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
		if take(t, l, "a", 60) != 0 || redis.asked != 2 {
			t.Error("Redis isn't asked again")
		}
	})
}

func TestSharer(t *testing.T) {
	if _, err := limit.NewSharer(direct{}, "x", nil); err == nil {
		t.Error("no secret was accepted")
	}
	sharer, err := limit.NewSharer(direct{}, "x", []byte("a secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, local := sharer.Limiter(limit.Budget{Name: "votes", Units: 1, Period: time.Second}).(*limit.Local); !local {
		t.Error("what is frequent is counted in Redis")
	}
}
