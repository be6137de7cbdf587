package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

func TestLocks(t *testing.T) {
	url := pgtest.URL(t)
	open := func() *postgres.Store {
		store, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	one, two := open(), open()
	ctx := context.Background()
	first, err := one.Locks().Acquire(ctx, "chores", 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.Locks().Acquire(ctx, "chores", 3*time.Second); !errors.Is(err, oponn.ErrHeld) {
		t.Errorf("the second holder: %v", err)
	}
	other, err := two.Locks().Acquire(ctx, "other chores", 3*time.Second)
	if err != nil {
		t.Errorf("another name: %v", err)
	} else if err := other.Release(ctx); err != nil {
		t.Error(err)
	}
	work := func(context.Context) error { return nil }
	if err := one.Fenced(ctx, "chores", first.Fence(), work); err != nil {
		t.Errorf("the holder's work: %v", err)
	}
	if err := first.Release(ctx); err != nil {
		t.Error(err)
	}
	second, err := two.Locks().Acquire(ctx, "chores", 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if second.Fence() <= first.Fence() {
		t.Errorf("fence %d after %d", second.Fence(), first.Fence())
	}
	if err := one.Fenced(ctx, "chores", first.Fence(), work); !errors.Is(err, oponn.ErrLost) {
		t.Errorf("the late holder's work: %v", err)
	}
	if err := second.Release(ctx); err != nil {
		t.Error(err)
	}
}
