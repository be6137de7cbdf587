package storetest

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// knownHeads are batches whose senders say on which head they stand: rightly,
// or no longer.
func (s suite) knownHeads() {
	s.test("batches follow each other without a gap", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, withWriteIns)
		effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		for _, text := range []string{"the moon", "the sun", "the moon"} {
			next := Insist(t, store, subject.After(effect, append(subject.NewVotes(t, 3), subject.writeInVote(t, text))))
			next.WriteIns = append(effect.WriteIns, next.WriteIns...)
			effect = next
		}
		record, log := subject.Recount(t, store)
		expectHead(t, record.Head, effect.Head)
		if len(log) != 14 || record.Head.Version != 5 || record.Head.WriteIns != 2 {
			t.Errorf("%d votes, the head is %+v", len(log), record.Head)
		}
		for i := range log[1:] {
			if log[i+1].At.Before(log[i].At) {
				t.Errorf("position %d is earlier than the one before", i+2)
			}
		}
	})
	s.test("several ballots, of which one has moved", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subjects := []*Subject{Create(t, store, Plan{}), Create(t, store, Plan{}), Create(t, store, Plan{})}
		batches := make([]oponn.Batch, len(subjects))
		for i, subject := range subjects {
			batches[i] = subject.After(Insist(t, store, subject.Batch(subject.NewVotes(t, 1))), subject.NewVotes(t, 2))
		}
		Insist(t, other, subjects[1].Batch(subjects[1].NewVotes(t, 1)))
		for i, done := range store.Append(context.Background(), batches) {
			expect(t, done.Err, "")
			record, _ := subjects[i].Recount(t, other)
			expectHead(t, record.Head, done.Effect.Head)
		}
	})
	s.movedHeads()
	s.test("instances that take turns, each on the head it moved last, lose nothing", func(t *testing.T, db database) {
		const rounds = 25
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], Plan{})
		var wait sync.WaitGroup
		for _, store := range stores {
			wait.Go(func() {
				batch := subject.Batch(subject.NewVotes(t, 2))
				for range rounds + 1 {
					effect, err := insist(store, batch)
					if err != nil {
						t.Errorf("append: %v", err)
						return
					}
					batch = subject.After(effect, subject.NewVotes(t, 2))
				}
			})
		}
		wait.Wait()
		if record, _ := subject.Recount(t, stores[0]); record.Head.Voters != 4*(rounds+1) || record.Head.Version != 2*(rounds+1)+1 {
			t.Errorf("the head is %+v", record.Head)
		}
	})
	s.test("a ballot that closes before its batch comes takes none of it", func(t *testing.T, db database) {
		store := db.open(t)
		for open := 40 * time.Millisecond; !closesBetween(t, store, open); open *= 4 {
			if open > time.Minute {
				t.Fatalf("no vote was in time on a ballot that is open for %s", open)
			}
		}
	})
	s.test("a vote found out to be a repeat gets its receipt", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		voter, votes := oponn.NewVoterID(), subject.NewVotes(t, 1)
		votes = append(votes, subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0)))
		first := Insist(t, store, subject.Batch(votes))
		again := Insist(t, store, subject.After(first, []oponn.Vote{votes[0], subject.NewVote(t, 1), votes[0],
			subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0))}))
		for _, i := range []int{0, 2} {
			if outcome := again.Outcomes[i]; !outcome.Repeat || !sameVote(outcome.Logged, first.Outcomes[0].Logged) {
				t.Errorf("vote %d: got %+v, want %+v again", i, outcome, first.Outcomes[0])
			}
		}
		expect(t, again.Outcomes[1].Err, "")
		expect(t, again.Outcomes[3].Err, oponn.CodeAlreadyVoted)
		subject.Recount(t, store)
	})
}

// movedHeads are heads that are not the store's.
func (s suite) movedHeads() {
	for name, move := range map[string]struct {
		move func(t *testing.T, other oponn.Store, subject *Subject, effect *oponn.Effect)
		code oponn.Code // of the batch, or of its votes
	}{
		"by votes": {func(t *testing.T, other oponn.Store, subject *Subject, _ *oponn.Effect) {
			Insist(t, other, subject.Batch(subject.NewVotes(t, 3)))
		}, ""},
		"by its closing": {func(t *testing.T, other oponn.Store, subject *Subject, _ *oponn.Effect) {
			Insist(t, other, subject.Closing())
		}, oponn.CodeClosed},
		"by its deletion": {func(t *testing.T, other oponn.Store, subject *Subject, _ *oponn.Effect) {
			Insist(t, other, subject.Deleting())
		}, oponn.CodeGone},
		"and whose position somebody made up": {func(_ *testing.T, _ oponn.Store, _ *Subject, effect *oponn.Effect) {
			effect.Head.Position += 5
		}, ""},
		"and that is still to come": {func(t *testing.T, _ oponn.Store, subject *Subject, effect *oponn.Effect) {
			var err error
			effect.Head.Version++
			if effect.Head.Sealed, err = effect.State.Seal(subject.Key, effect.Head.Version); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		s.test("a head that was moved "+name, func(t *testing.T, db database) {
			store, other := db.open(t), db.open(t)
			subject := Create(t, store, Plan{})
			effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
			move.move(t, other, subject, &effect)
			done := AppendOne(store, subject.After(effect, subject.NewVotes(t, 2)))
			if move.code == oponn.CodeGone {
				expect(t, done.Err, move.code)
				return
			}
			expect(t, done.Err, "")
			for _, outcome := range done.Effect.Outcomes {
				expect(t, outcome.Err, move.code)
			}
			record, _ := subject.Recount(t, other)
			expectHead(t, record.Head, done.Effect.Head)
		})
	}
}

// closesBetween lets a ballot that is open for the given time close between
// two batches, and says whether the first came in time.
func closesBetween(t *testing.T, store oponn.Store, open time.Duration) bool {
	closes := clockOf(t, store).Add(open)
	subject := Create(t, store, Plan{Window: oponn.Window{ClosesAt: closes}})
	first := Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
	if first.State.Status == oponn.Closed {
		return false
	}
	for clockOf(t, store).Before(closes) {
		runtime.Gosched()
	}
	second := Insist(t, store, subject.After(first, subject.NewVotes(t, 2)))
	for _, outcome := range second.Outcomes {
		expect(t, outcome.Err, oponn.CodeClosed)
	}
	if record, log := subject.Recount(t, store); len(log) != 1 || record.Head.Version != 3 {
		t.Errorf("%d votes, the head is %+v", len(log), record.Head)
	}
	return true
}
