package keys

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
)

// until returns an interceptor that waits for the gate, or for the end of the
// call's context.
func until(gate <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forgotten returns a ring that knows a wrapped key and has to ask its KEK.
func forgotten(t *testing.T) (*Ring, *fakeKEK, oponn.BallotID, oponn.WrappedKey) {
	t.Helper()
	kek := newFakeKEK(t)
	ring := NewRing(kek)
	ballot, wrapped := mustCreate(t, ring)
	ring.Forget(ballot)
	return ring, kek, ballot, wrapped
}

func TestFlight_OneForAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(until(gate))
		found := make([]oponn.Key, 100)
		var all sync.WaitGroup
		for i := range found {
			all.Go(func() { found[i] = mustOpen(t, ring, ballot, wrapped) })
		}
		synctest.Wait()
		kek.wantUnwraps(t, 1)
		close(gate)
		all.Wait()
		for _, key := range found {
			if key != found[0] {
				t.Error("one flight brought two keys")
			}
		}
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 1)
	})
}

func TestFlight_GoesOnWhenItsFirstCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(until(gate))
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := ring.Open(ctx, ballot, wrapped)
			wantCode(t, err, oponn.CodeKeysUnavailable)
		})
		synctest.Wait()
		all.Go(func() { mustOpen(t, ring, ballot, wrapped) })
		synctest.Wait()
		leave()
		synctest.Wait()
		close(gate)
		all.Wait()
		kek.wantUnwraps(t, 1)
	})
}

func TestFlight_ServesTheNextWhenAllHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(until(gate))
		ctx, leave := context.WithCancel(t.Context())
		leave()
		key, err := ring.Open(ctx, ballot, wrapped)
		wantCode(t, err, oponn.CodeKeysUnavailable)
		if key != nil {
			t.Error("got a key with the error")
		}
		close(gate)
		synctest.Wait()
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 1)
	})
}

func TestFlight_EndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		kek.intercept(until(nil))
		began := time.Now()
		_, err := ring.Open(t.Context(), ballot, wrapped)
		wantCode(t, err, oponn.CodeKeysUnavailable)
		if took := time.Since(began); took != DefaultDeadline {
			t.Errorf("it took %v, want %v", took, DefaultDeadline)
		}
		synctest.Wait()
		kek.intercept(nil)
		mustOpen(t, ring, ballot, wrapped)
	})
}

func TestFlight_EndsForItsCallersWhenTheKEKHeedsNoContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(func(context.Context) error { <-gate; return nil })
		began := time.Now()
		for range 3 {
			_, err := ring.Open(t.Context(), ballot, wrapped)
			wantCode(t, err, oponn.CodeKeysUnavailable)
		}
		if took := time.Since(began); took != DefaultDeadline {
			t.Errorf("three calls took %v, want %v: the later ones know", took, DefaultDeadline)
		}
		kek.wantUnwraps(t, 1)
		close(gate)
		synctest.Wait()
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 1)
	})
}

func TestFlight_IsNotKeptOnceForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(until(gate))
		var all sync.WaitGroup
		all.Go(func() { mustOpen(t, ring, ballot, wrapped) })
		synctest.Wait()
		ring.Forget(ballot)
		close(gate)
		all.Wait()
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 2)
	})
}

func TestFlight_DoesNotServeAnotherWrappedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring, kek, ballot, wrapped := forgotten(t)
		gate := make(chan struct{})
		kek.intercept(until(gate))
		damaged := wrapped
		damaged.Commitment = make([]byte, 32)
		var all sync.WaitGroup
		all.Go(func() {
			_, err := ring.Open(t.Context(), ballot, damaged)
			wantCode(t, err, oponn.CodeInternal)
		})
		synctest.Wait()
		all.Go(func() { mustOpen(t, ring, ballot, wrapped) })
		synctest.Wait()
		close(gate)
		all.Wait()
		kek.wantUnwraps(t, 2)
	})
}

func TestFlight_SurvivesAKEKThatDoesNot(t *testing.T) {
	for name, end := range map[string]func(context.Context) error{
		"panic":  func(context.Context) error { panic("the KEK broke") },
		"Goexit": func(context.Context) error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ring, kek, ballot, wrapped := forgotten(t)
			kek.intercept(end)
			key, err := ring.Open(t.Context(), ballot, wrapped)
			wantCode(t, err, oponn.CodeInternal)
			if key != nil {
				t.Error("got a key with the error")
			}
			kek.intercept(nil)
			mustOpen(t, ring, ballot, wrapped)
		})
	}
}
