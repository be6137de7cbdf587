package storetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Database { return &memories{storetest.NewMemory()} })
}

// memories opens a Memory again and again.
type memories struct{ first *storetest.Memory }

func (m *memories) Open(testing.TB) oponn.Store { return m.first.Sibling() }

func TestMemoryHooks(t *testing.T) {
	bubble := func(name string, run func(t *testing.T, store *storetest.Memory, subject *storetest.Subject)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := storetest.NewMemory()
				run(t, store, storetest.Create(t, store, storetest.Plan{}))
			})
		})
	}
	bubble("latency passes in the bubble's time", func(t *testing.T, store *storetest.Memory, subject *storetest.Subject) {
		store.SetLatency(time.Hour)
		start := time.Now()
		effect := storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
		if took := time.Since(start); took != time.Hour || !effect.Logged[0].At.Equal(time.Now().Truncate(time.Microsecond)) {
			t.Errorf("took %s, voted at %s", took, effect.Logged[0].At)
		}
	})
	bubble("a context ends the latency", func(t *testing.T, store *storetest.Memory, subject *storetest.Subject) {
		store.SetLatency(time.Hour)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		done := store.Append(ctx, []oponn.Batch{subject.Batch(nil)})
		if !errors.Is(done[0].Err, context.DeadlineExceeded) {
			t.Errorf("got %v", done[0].Err)
		}
	})
	bubble("an Append is held until it is released", func(t *testing.T, store *storetest.Memory, subject *storetest.Subject) {
		release := store.Hold()
		done := make(chan oponn.Appended, 1)
		go func() { done <- storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1))) }()
		synctest.Wait()
		if counted := store.Counters(); counted.Held != 1 || len(done) != 0 {
			t.Errorf("counted %+v", counted)
		}
		release()
		release()
		if d := <-done; d.Err != nil {
			t.Error(d.Err)
		}
		storetest.Insist(t, store, subject.Batch(nil))
		if counted := store.Counters(); counted != (storetest.Counters{Appends: 2, Batches: 2, Votes: 1}) {
			t.Errorf("counted %+v", counted)
		}
	})
	bubble("the next calls fail, then one succeeds", func(t *testing.T, store *storetest.Memory, subject *storetest.Subject) {
		store.FailNext(2, nil)
		batch := subject.Batch(subject.NewVotes(t, 1))
		for i, want := range []oponn.Code{oponn.CodeStoreUnavailable, oponn.CodeStoreUnavailable, ""} {
			if done := storetest.AppendOne(store, batch); oponn.CodeOf(done.Err) != want || done.Err == nil && done.Effect.Outcomes[0].Repeat {
				t.Errorf("call %d: %+v", i, done)
			}
		}
	})
	bubble("siblings share data, not hooks", func(t *testing.T, store *storetest.Memory, subject *storetest.Subject) {
		store.FailNext(1, oponn.Errorf(oponn.CodeBusy, "busy"))
		effect := storetest.Insist(t, store.Sibling(), subject.Batch(subject.NewVotes(t, 1)))
		if record, _ := subject.Recount(t, store); record.Head.Version != effect.Head.Version {
			t.Errorf("the head is %+v", record.Head)
		}
		if done := storetest.AppendOne(store, subject.Batch(nil)); oponn.CodeOf(done.Err) != oponn.CodeBusy {
			t.Errorf("got %v", done.Err)
		}
	})
}
