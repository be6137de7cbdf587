package limit_test

import (
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/http/limit"
)

func take(t *testing.T, l limit.Limiter, key string, n int) time.Duration {
	t.Helper()
	wait, err := l.Take(t.Context(), key, n)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestLocal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewLocal(limit.Budget{Units: 60, Period: time.Minute}, 100)
		if wait := take(t, l, "a", 60); wait != 0 {
			t.Fatalf("a full bucket makes wait %v", wait)
		}
		if wait := take(t, l, "a", 30); wait != 30*time.Second {
			t.Errorf("an empty one makes wait %v for half of it", wait)
		}
		if wait := take(t, l, "b", 60); wait != 0 {
			t.Errorf("another key waits %v", wait)
		}
		if wait := take(t, l, "c", 61); wait <= 0 {
			t.Error("more than a bucket holds was given")
		}
		time.Sleep(30 * time.Second) //nolint:forbidigo // virtual time
		if wait := take(t, l, "a", 30); wait != 0 {
			t.Errorf("what was asked for in vain was taken: wait %v", wait)
		}
		if wait := take(t, l, "a", 1); wait != time.Second {
			t.Errorf("wait %v", wait)
		}
	})
}

func TestLocal_RemembersTheLatestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewLocal(limit.Budget{Units: 1, Period: time.Minute}, 3)
		take(t, l, "kept", 1)
		for i := range 10 {
			take(t, l, strconv.Itoa(i), 1)
			if take(t, l, "kept", 1) == 0 {
				t.Fatal("a key in use was forgotten")
			}
		}
		if take(t, l, "0", 1) != 0 {
			t.Error("the oldest key was not forgotten")
		}
	})
}

func TestAddressKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := limit.AddressKey(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s has the key %s, want %s", addr, got, want)
		}
	}
	if limit.AddressKey(netip.Addr{}) == "" {
		t.Error("no address has no key")
	}
}

func TestLocal_TakesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewLocal(limit.Budget{Units: 2, Period: time.Hour}, 10)
		for range 10 {
			if wait := take(t, l, "a", 1); wait != 0 {
				t.Fatalf("what was given back is gone: wait %v", wait)
			}
			if err := l.Return(t.Context(), "a", 1); err != nil {
				t.Fatal(err)
			}
		}
		take(t, l, "a", 2)
		if take(t, l, "a", 1) == 0 {
			t.Error("a bucket holds more than its burst")
		}
	})
}
