package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func (s suite) contexts() {
	s.test("one that has ended does nothing and says so", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for name, err := range callAll(ctx, store, subject) {
			if oponn.CodeOf(err) != oponn.CodeStoreUnavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("%s gave %v", name, err)
			}
			expectRetryable(t, err)
		}
		done := store.Append(ctx, []oponn.Batch{subject.Batch(subject.NewVotes(t, 2))})
		expect(t, done[0].Err, oponn.CodeStoreUnavailable)
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
	s.test("one that ends in Apply leaves nothing half done", func(t *testing.T, db database) {
		store := db.open(t)
		one, two := Create(t, store, Plan{}), Create(t, store, Plan{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		batches := []oponn.Batch{one.Batch(one.NewVotes(t, 2)), two.Batch(two.NewVotes(t, 2))}
		apply := batches[1].Apply
		batches[1].Apply = func(g oponn.Ground) (oponn.Effect, error) {
			cancel()
			return apply(g)
		}
		done := store.Append(ctx, batches)
		for i, subject := range []*Subject{one, two} {
			checkAnswer(t, store, subject, batches[i], done[i])
		}
		if (done[0].Err == nil) != (done[1].Err == nil) {
			t.Errorf("half done: %v, %v", done[0].Err, done[1].Err)
		}
	})
	s.test("one that ends while waiting for the head is not done", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		holder := subject.Batch(subject.NewVotes(t, 1))
		apply, held, leave := holder.Apply, make(chan struct{}), make(chan struct{})
		holder.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			close(held)
			<-leave
			return apply(g)
		}
		first := make(chan oponn.Appended)
		go func() { first <- AppendOne(store, holder) }()
		<-held
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		batch := subject.Batch(subject.NewVotes(t, 1))
		waited := store.Append(ctx, []oponn.Batch{batch})[0]
		close(leave)
		expect(t, (<-first).Err, "")
		expect(t, waited.Err, oponn.CodeStoreUnavailable)
		checkAnswer(t, store, subject, batch, waited)
	})
	s.test("one that ends at any moment never makes an answer wrong", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		var took time.Duration
		for i := range 200 {
			batch := subject.Batch(subject.NewVotes(t, 20))
			// Spread the ends over the time that an Append takes here.
			ctx, cancel := context.WithTimeout(context.Background(), took*time.Duration(i)/150)
			if i < 5 {
				ctx = context.Background()
			}
			start := time.Now()
			done := store.Append(ctx, []oponn.Batch{batch})[0]
			cancel()
			if i < 5 {
				took = time.Since(start)
			}
			checkAnswer(t, store, subject, batch, done)
		}
		subject.Recount(t, store)
	})
	s.test("a scan ends with its context", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Batch(subject.NewVotes(t, 2000)))
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		err := store.Scan(ctx, subject.ID, func(oponn.Record) error { return nil }, func(oponn.LoggedVote) error {
			seen++
			cancel()
			return nil
		})
		if seen == 2000 || !errors.Is(err, context.Canceled) || oponn.CodeOf(err) != oponn.CodeStoreUnavailable {
			t.Errorf("after %d votes: %v", seen, err)
		}
		subject.Recount(t, store)
	})
}

// checkAnswer fails the test unless what an Append answered is true.
func checkAnswer(t TB, store oponn.Store, subject *Subject, batch oponn.Batch, done oponn.Appended) {
	t.Helper()
	kept := 0
	for _, vote := range batch.Votes {
		votes, err := store.Votes(context.Background(), subject.ID, vote.Tag)
		expect(t, err, "")
		kept += len(votes)
	}
	switch code := oponn.CodeOf(done.Err); {
	case code == "" && kept != len(batch.Votes):
		t.Fatalf("acknowledged, but %d of %d votes are kept", kept, len(batch.Votes))
	case (code == oponn.CodeStoreUnavailable || code == oponn.CodeBusy) && kept != 0:
		t.Fatalf("%v, but %d votes are kept", done.Err, kept)
	case code == oponn.CodeOutcomeUnknown && kept != 0 && kept != len(batch.Votes):
		t.Fatalf("half done: %d of %d votes are kept", kept, len(batch.Votes))
	case code != "" && code != oponn.CodeStoreUnavailable && code != oponn.CodeBusy && code != oponn.CodeOutcomeUnknown:
		t.Fatalf("append: %v", done.Err)
	}
}

// lostCommit needs the capability CommitLoser.
func (s suite) lostCommit() {
	for name, committed := range map[string]bool{"that was committed": true, "that was aborted": false} {
		s.test("a transaction "+name+" is unknown, and appended again counts once", func(t *testing.T, db database) {
			store, other := db.open(t), db.open(t)
			one, two := Create(t, store, withWriteIns), Create(t, store, Plan{})
			votes := append(one.NewVotes(t, 3), one.writeInVote(t, "the moon"))
			batches := []oponn.Batch{one.Batch(votes), two.Batch(two.NewVotes(t, 3)), NewSubject(t, Plan{}).Batch(nil)}
			store.(CommitLoser).LoseNextCommit(committed)
			lost := store.Append(context.Background(), batches)
			expect(t, lost[0].Err, oponn.CodeOutcomeUnknown)
			expect(t, lost[1].Err, oponn.CodeOutcomeUnknown)
			expect(t, lost[2].Err, oponn.CodeNotFound) // it would not have been done in any case
			expectRetryable(t, lost[0].Err)
			first := Insist(t, other, batches[0])
			second := Insist(t, store, batches[1])
			for _, outcome := range append(first.Outcomes, second.Outcomes...) {
				if outcome.Err != nil || outcome.Repeat != committed || outcome.Logged.Version != 2 {
					t.Errorf("got %+v", outcome)
				}
			}
			again := Insist(t, store, batches[0])
			for i, outcome := range again.Outcomes {
				if !outcome.Repeat || !sameVote(outcome.Logged, first.Outcomes[i].Logged) {
					t.Errorf("got %+v, want %+v again", outcome, first.Outcomes[i])
				}
			}
			if record, log := one.Recount(t, store); len(log) != 4 || record.Head.Version != 2 {
				t.Errorf("%d votes, head %+v", len(log), record.Head)
			}
			two.Recount(t, other)
		})
		s.test("a batch on a known head "+name+" is unknown, and appended again counts once", func(t *testing.T, db database) {
			store := db.open(t)
			subject := Create(t, store, Plan{})
			effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
			batch := subject.After(effect, subject.NewVotes(t, 3))
			store.(CommitLoser).LoseNextCommit(committed)
			expect(t, AppendOne(store, batch).Err, oponn.CodeOutcomeUnknown)
			again := Insist(t, store, batch)
			for _, outcome := range again.Outcomes {
				if outcome.Err != nil || outcome.Repeat != committed || outcome.Logged.Version != 3 {
					t.Errorf("got %+v", outcome)
				}
			}
			record, log := subject.Recount(t, store)
			expectHead(t, record.Head, again.Head)
			if len(log) != 5 || record.Head.Version != 3 {
				t.Errorf("%d votes, head %+v", len(log), record.Head)
			}
		})
		s.test("a closing "+name+" is closed once when asked again", func(t *testing.T, db database) {
			store := db.open(t)
			subject := Create(t, store, Plan{})
			store.(CommitLoser).LoseNextCommit(committed)
			expect(t, AppendOne(store, subject.Closing()).Err, oponn.CodeOutcomeUnknown)
			effect := Insist(t, store, subject.Closing())
			if effect.Head.Version != 2 || effect.State.Status != oponn.Closed {
				t.Errorf("got %+v", effect)
			}
		})
		s.test("a deletion "+name+" is gone when asked again", func(t *testing.T, db database) {
			store := db.open(t)
			subject := Create(t, store, Plan{})
			store.(CommitLoser).LoseNextCommit(committed)
			expect(t, AppendOne(store, subject.Deleting()).Err, oponn.CodeOutcomeUnknown)
			want := oponn.Code("")
			if committed {
				want = oponn.CodeGone
			}
			expect(t, AppendOne(store, subject.Deleting()).Err, want)
			_, err := store.Load(context.Background(), subject.ID)
			expect(t, err, oponn.CodeGone)
		})
	}
}
