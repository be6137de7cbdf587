package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestGuess(t *testing.T) {
	t.Run("a batch on the newest head is decided before the head is held, once", func(t *testing.T) {
		url := pgtest.URL(t)
		store, holder := openStore(t, url), connect(t, url)
		subject := storetest.Create(t, store, storetest.Plan{})
		effect := storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		exec(t, holder, "begin", lockOf(subject))
		decided, done := guessing(store, subject.After(effect, subject.NewVotes(t, 2)))
		<-decided
		awaitLock(t, url)
		exec(t, holder, "rollback")
		if appended := <-done; appended.Err != nil || appended.Effect.Head.Version != 3 {
			t.Errorf("got %+v", appended)
		}
		if n := len(decided); n != 0 {
			t.Errorf("decided %d times more", n)
		}
		subject.Recount(t, store)
	})
	t.Run("a closing time that passes while it waits counts, also when the head stays as it was", func(t *testing.T) {
		url := pgtest.URL(t)
		store, holder := openStore(t, url), connect(t, url)
		for open := 200 * time.Millisecond; !closedWhileHeld(t, url, store, holder, open); open *= 2 {
			if open > time.Minute {
				t.Fatal("no batch was in time")
			}
		}
	})
	t.Run("a clock that was set back is not overtaken", func(t *testing.T) {
		url := pgtest.URL(t)
		store := openStore(t, url)
		subject := storetest.Create(t, store, storetest.Plan{})
		effect := storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		exec(t, connect(t, url), "update heads set moved_at = moved_at + interval '1 hour'")
		next := storetest.Insist(t, store, subject.After(effect, subject.NewVotes(t, 2)))
		if waited := next.Logged[0].At.Sub(effect.Logged[0].At); waited < time.Hour {
			t.Errorf("the later vote is %s later", waited)
		}
		subject.Recount(t, store)
	})
}

// guessing appends a batch and tells when its Apply was called.
func guessing(store oponn.Store, batch oponn.Batch) (decided chan struct{}, done chan oponn.Appended) {
	apply := batch.Apply
	decided, done = make(chan struct{}, 10), make(chan oponn.Appended, 1)
	batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
		decided <- struct{}{}
		return apply(g)
	}
	go func() { done <- storetest.AppendOne(store, batch) }()
	return decided, done
}

// awaitLock waits until somebody waits for a lock.
func awaitLock(t *testing.T, url string) {
	t.Helper()
	watching := connect(t, url)
	eventually(t, "the wait for the head", func() bool {
		var waiting bool
		err := watching.QueryRow(context.Background(), "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')").Scan(&waiting)
		return err == nil && waiting
	})
}

// closedWhileHeld holds the head of a ballot, which is open for the given time,
// until that has passed, and lets a batch wait for it that was decided before.
// It says whether that came in time.
func closedWhileHeld(t *testing.T, url string, store oponn.Store, holder *pgx.Conn, open time.Duration) bool {
	t.Helper()
	now, err := store.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	closes := now.Add(open)
	subject := storetest.Create(t, store, storetest.Plan{Window: oponn.Window{ClosesAt: closes}})
	effect := storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
	if effect.State.Status == oponn.Closed {
		return false
	}
	exec(t, holder, "begin", lockOf(subject))
	decided, done := guessing(store, subject.After(effect, subject.NewVotes(t, 2)))
	<-decided
	awaitLock(t, url)
	eventually(t, "the closing time", func() bool {
		now, err := store.Now(context.Background())
		return err == nil && !now.Before(closes)
	})
	exec(t, holder, "rollback")
	appended := <-done
	if appended.Err != nil {
		t.Fatal(appended.Err)
	}
	for _, outcome := range appended.Effect.Outcomes {
		if oponn.CodeOf(outcome.Err) != oponn.CodeClosed {
			t.Errorf("got %+v", outcome)
		}
	}
	if record, log := subject.Recount(t, store); len(log) != 2 || record.Head.Version != 3 {
		t.Errorf("%d votes, the head is %+v", len(log), record.Head)
	}
	return true
}
