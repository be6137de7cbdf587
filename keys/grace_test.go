package keys

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
)

func away(context.Context) error    { return unavailable(errors.New("connection refused")) }
func refuses(context.Context) error { return denied(errors.New("AccessDeniedException")) }

func TestGrace_AKeyServesADayWithoutItsKEK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		kek.intercept(away)
		key := mustOpen(t, ring, ballot, wrapped)
		for range 24*60 - 1 {
			pass(time.Minute)
			if mustOpen(t, ring, ballot, wrapped) != key {
				t.Fatal("it is another key")
			}
		}
		kek.wantUnwraps(t, 24*60-15) // once a minute, from the fifteenth on
		pass(time.Minute)
		_, err := ring.Open(t.Context(), ballot, wrapped)
		wantCode(t, err, oponn.CodeKeysUnavailable)
		kek.intercept(nil)
		mustOpen(t, ring, ballot, wrapped)
	})
}

func TestGrace_BeginsAnewWhenTheKEKVouchesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek, WithCacheGrace(time.Hour))
		ballot, wrapped := mustCreate(t, ring)
		for range 5 {
			kek.intercept(away)
			pass(59 * time.Minute)
			mustOpen(t, ring, ballot, wrapped)
			kek.intercept(nil)
			pass(refreshPause)
			mustOpen(t, ring, ballot, wrapped)
		}
		kek.wantUnwraps(t, 10)
	})
}

func TestGrace_DoesNotWaitForTheKEKAtEveryTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		kek.intercept(until(nil)) // never answers
		pass(DefaultCacheAge)
		began := time.Now()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { mustOpen(t, ring, ballot, wrapped) })
		}
		all.Wait()
		synctest.Wait()
		for range 100 {
			mustOpen(t, ring, ballot, wrapped)
		}
		if took := time.Since(began); took != DefaultDeadline {
			t.Errorf("200 opens took %v, want one deadline", took)
		}
		kek.wantUnwraps(t, 1)
		pass(refreshPause)
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 2)
	})
}

func TestGrace_EndsAtOnceWhenTheKEKRefuses(t *testing.T) {
	for name, no := range map[string]func(context.Context) error{
		"denied":   refuses,
		"damaged":  func(context.Context) error { return refused("damaged") },
		"no code":  func(context.Context) error { return errors.New("who knows") },
		"a panic":  func(context.Context) error { panic("the KEK broke") },
		"the hint": func(context.Context) error { return oponn.Errorf(oponn.CodeGone, "It is gone.") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kek := newFakeKEK(t)
				ring := NewRing(kek)
				ballot, wrapped := mustCreate(t, ring)
				pass(DefaultCacheAge)
				kek.intercept(no)
				_, err := ring.Open(t.Context(), ballot, wrapped)
				if err == nil || unreached(err) {
					t.Errorf("it gave %v, want a refusal", err)
				}
				kek.intercept(away) // nothing is left that could serve
				_, err = ring.Open(t.Context(), ballot, wrapped)
				if !unreached(err) {
					t.Errorf("with nothing left it gave %v", err)
				}
			})
		})
	}
}

// Who sends a forged wrapped key must not cost the ballot its good one.
func TestGrace_ARefusedForgeryDoesNotDropTheRealKey(t *testing.T) {
	kek := newFakeKEK(t)
	ring := NewRing(kek)
	ballot, wrapped := mustCreate(t, ring)
	forged := wrapped
	forged.Commitment = make([]byte, 32)
	_, err := ring.Open(t.Context(), ballot, forged)
	wantCode(t, err, oponn.CodeInternal)
	kek.intercept(away)
	mustOpen(t, ring, ballot, wrapped)
	_, err = ring.Open(t.Context(), ballot, forged)
	wantCode(t, err, oponn.CodeKeysUnavailable) // and never the real one
}

func TestGrace_ForgetHoldsAlsoDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		pass(DefaultCacheAge)
		kek.intercept(until(nil))
		var all sync.WaitGroup
		all.Go(func() {
			_, err := ring.Open(t.Context(), ballot, wrapped)
			wantCode(t, err, oponn.CodeKeysUnavailable)
		})
		synctest.Wait()
		ring.Forget(ballot)
		all.Wait()
	})
}

func TestGrace_DuringAnOutageNobodyIsPushedOutForBeingOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		pass(DefaultCacheAge)
		kek.intercept(away)
		mustOpen(t, ring, ballot, wrapped)
		kek.intercept(nil)
		mustCreate(t, ring) // the KEK answers one call in two
		kek.intercept(away)
		pass(refreshPause)
		mustOpen(t, ring, ballot, wrapped)
		pass(time.Hour)
		kek.intercept(nil)
		mustCreate(t, ring)
		if n := ring.cache.opened.Len(); n != 1 {
			t.Errorf("an hour after the outage the cache holds %d keys, want the new one only", n)
		}
	})
}

func TestGrace_ACallerWhoLeavesGetsTheOldKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		pass(DefaultCacheAge)
		kek.intercept(until(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := ring.Open(ctx, ballot, wrapped); err != nil {
			t.Error(err)
		}
		pass(DefaultDeadline) // the refresh ends too
	})
}

func TestGrace_IsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, kek := ops.NewMetrics(), newFakeKEK(t)
		ring := NewRing(kek, WithMeter(metrics))
		ballot, wrapped := mustCreate(t, ring)
		kek.intercept(away)
		pass(16 * time.Minute)
		mustOpen(t, ring, ballot, wrapped)
		const name = "oponn_keys_cache_requests_total"
		if got := metrics.Read(name).Value(name, "result", "stale"); got != 1 {
			t.Errorf("%v stale keys, want 1", got)
		}
	})
}
