package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestCommit(t *testing.T) {
	t.Run("one whose answer is lost is never cancelled", func(t *testing.T) {
		url := pgtest.URL(t)
		proxy := pgtest.NewProxy(t, url)
		store := openStore(t, proxy.URL())
		subject := storetest.Create(t, store, storetest.Plan{})
		for range 5 {
			proxy.LoseNextCommit(true)
			batch := subject.Batch(subject.NewVotes(t, 2))
			expect(t, storetest.AppendOne(store, batch).Err, oponn.CodeOutcomeUnknown, "")
			storetest.Insist(t, store, batch)
		}
		// A wait for a lock is cancelled: this is what would have been seen.
		holder := connect(t, url)
		exec(t, holder, "begin", lockOf(subject))
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		done := store.Append(ctx, []oponn.Batch{subject.Batch(subject.NewVotes(t, 2))})
		expect(t, done[0].Err, oponn.CodeStoreUnavailable, "")
		eventually(t, "the wait to be cancelled", func() bool { return proxy.Cancels() > 0 })
		if proxy.Cancels() != 1 || proxy.Lost() != 5 {
			t.Errorf("%d cancels, %d commits lost", proxy.Cancels(), proxy.Lost())
		}
	})
	t.Run("one that waits for a standby is unknown, held, and done when the standby comes", func(t *testing.T) {
		server := pgtest.NewServer(t)
		proxy := pgtest.NewProxy(t, server.URL())
		store := openStore(t, proxy.URL(), postgres.CommitPatience(300*time.Millisecond))
		subject := storetest.Create(t, store, storetest.Plan{})
		admin := connect(t, server.URL())
		exec(t, admin, "alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()")
		eventually(t, "the setting", func() bool {
			value, err := store.Setting(context.Background(), "synchronous_standby_names")
			return err == nil && value == "nobody"
		})
		batch := subject.Batch(subject.NewVotes(t, 2))
		expect(t, storetest.AppendOne(store, batch).Err, oponn.CodeOutcomeUnknown, "")
		// Asked again it waits for the head, which the commit still holds.
		expect(t, storetest.AppendOne(store, batch).Err, oponn.CodeBusy, "55P03")
		if votes, err := store.Votes(context.Background(), subject.ID, batch.Votes[0].Tag); err != nil || len(votes) != 0 {
			t.Errorf("seen before the standby has it: %v, %v", votes, err)
		}
		exec(t, admin, "alter system reset synchronous_standby_names", "select pg_reload_conf()")
		for _, outcome := range storetest.Insist(t, store, batch).Outcomes {
			if !outcome.Repeat || outcome.Err != nil {
				t.Errorf("got %+v", outcome)
			}
		}
		if n := proxy.Cancels(); n != 0 {
			t.Errorf("%d cancels", n)
		}
	})
	t.Run("a vote found again is committed before it is answered", func(t *testing.T) {
		url := pgtest.URL(t)
		proxy := pgtest.NewProxy(t, url)
		store := openStore(t, proxy.URL())
		subject := storetest.Create(t, store, storetest.Plan{})
		batch := subject.Batch(subject.NewVotes(t, 2))
		storetest.Insist(t, store, batch)
		proxy.LoseNextCommit(false)
		expect(t, storetest.AppendOne(store, batch).Err, oponn.CodeOutcomeUnknown, "")
	})
}

// lockOf is the statement that locks a subject's head.
func lockOf(s *storetest.Subject) string {
	return "select from heads where ballot = '" + oponn.VoteID(s.ID).String() + "' for update"
}
