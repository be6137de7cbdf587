package keys

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestCache_AnswersUntilTheKeyIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kek := newFakeKEK(t)
		ring := NewRing(kek)
		ballot, wrapped := mustCreate(t, ring)
		for range 15 { // being used does not make it younger
			mustOpen(t, ring, ballot, wrapped)
			pass(time.Minute - time.Nanosecond)
		}
		mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 0)
		pass(15 * time.Nanosecond)
		first := mustOpen(t, ring, ballot, wrapped)
		kek.wantUnwraps(t, 1)
		if mustOpen(t, ring, ballot, wrapped) != first {
			t.Error("what was opened again is not in the cache")
		}
		kek.wantUnwraps(t, 1)
	})
}

func TestCache_IsBounded(t *testing.T) {
	kek := newFakeKEK(t)
	ring := NewRing(kek, WithCacheSize(2))
	one, wrappedOne := mustCreate(t, ring)
	two, wrappedTwo := mustCreate(t, ring)
	mustOpen(t, ring, one, wrappedOne) // so that two is the least lately used
	three, wrappedThree := mustCreate(t, ring)
	if n := ring.cache.opened.Len(); n != 2 {
		t.Errorf("the cache holds %d keys, want 2", n)
	}
	mustOpen(t, ring, one, wrappedOne)
	mustOpen(t, ring, three, wrappedThree)
	kek.wantUnwraps(t, 0)
	mustOpen(t, ring, two, wrappedTwo)
	kek.wantUnwraps(t, 1)
}

func TestCache_DropsOldKeysThatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := NewRing(newFakeKEK(t))
		for range 10 {
			mustCreate(t, ring)
		}
		pass(DefaultCacheAge)
		mustCreate(t, ring)
		if n := ring.cache.opened.Len(); n != 1 {
			t.Errorf("the cache holds %d keys, want the new one only", n)
		}
	})
}

func TestCache_ForgetsOnDemand(t *testing.T) {
	kek := newFakeKEK(t)
	ring := NewRing(kek)
	ballot, wrapped := mustCreate(t, ring)
	other, wrappedOther := mustCreate(t, ring)
	ring.Forget(ballot)
	mustOpen(t, ring, other, wrappedOther)
	kek.wantUnwraps(t, 0)
	mustOpen(t, ring, ballot, wrapped)
	kek.wantUnwraps(t, 1)
}

func TestCache_KeepsNothingWithoutAge(t *testing.T) {
	kek := newFakeKEK(t)
	ring := NewRing(kek, WithCacheAge(0))
	ballot, wrapped := mustCreate(t, ring)
	for range 3 {
		mustOpen(t, ring, ballot, wrapped)
	}
	kek.wantUnwraps(t, 3)
}

// A rewrapped key is the same DEK in another wrapping: it is unwrapped once.
func TestCache_FollowsARewrappedKey(t *testing.T) {
	kek := newFakeKEK(t)
	ring := NewRing(kek)
	ballot, wrapped := mustCreate(t, ring)
	plain, err := kek.KEK.Unwrap(t.Context(), ballot, wrapped.KEK, wrapped.Blob)
	if err != nil {
		t.Fatal(err)
	}
	rewrapped := wrapped
	rewrapped.Blob = kek.KEK.(*LocalKEK).wrap.Seal([]byte{localVersion}, nil, plain, localAD(ballot))
	if bytes.Equal(rewrapped.Blob, wrapped.Blob) {
		t.Fatal("the key was not rewrapped")
	}
	mustOpen(t, ring, ballot, rewrapped)
	mustOpen(t, ring, ballot, rewrapped)
	kek.wantUnwraps(t, 1)
}
