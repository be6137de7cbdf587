package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) append() {
	s.test("votes are logged and counted", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 7)))
		record, log := subject.Recount(t, store)
		expectHead(t, record.Head, effect.Head)
		expectVotes(t, log, effect.Logged)
		if record.Head.Version != 2 || record.Head.Position != 7 || record.Head.Voters != 7 {
			t.Errorf("the head is %+v", record.Head)
		}
		for i, outcome := range effect.Outcomes {
			if outcome.Err != nil || outcome.Repeat || outcome.Logged.Revision != 1 || outcome.Logged.Version != 2 {
				t.Errorf("vote %d: %+v", i, outcome)
			}
		}
	})
	s.test("no batch is no work", func(t *testing.T, db database) {
		if done := db.open(t).Append(context.Background(), nil); len(done) != 0 {
			t.Errorf("got %d answers", len(done))
		}
	})
	s.test("a batch without votes changes nothing when nothing is due", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Batch(nil))
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
	s.duplicates()
	s.repeats()
	s.order()
}

func (s suite) duplicates() {
	s.test("a duplicate voter in another batch is refused", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		voter := oponn.NewVoterID()
		first := Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0))}))
		again := Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0))}))
		expect(t, again.Outcomes[0].Err, oponn.CodeAlreadyVoted)
		expectHead(t, load(t, store, subject.ID).Head, first.Head)
	})
	s.test("a duplicate voter in the same batch is refused", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		voter := oponn.NewVoterID()
		effect := Insist(t, store, subject.Batch([]oponn.Vote{
			subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 0)),
			subject.NewVote(t, 1),
			subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 1))}))
		expect(t, effect.Outcomes[0].Err, "")
		expect(t, effect.Outcomes[1].Err, "")
		expect(t, effect.Outcomes[2].Err, oponn.CodeAlreadyVoted)
		if record, _ := subject.Recount(t, store); record.Head.Voters != 2 {
			t.Errorf("%d voters", record.Head.Voters)
		}
	})
}

func (s suite) repeats() {
	s.test("the same vote sent again gets the same receipt", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		votes := subject.NewVotes(t, 3)
		first := Insist(t, store, subject.Batch(votes))
		Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		again := Insist(t, store, subject.Batch(append(votes, subject.NewVote(t, 0))))
		for i, outcome := range again.Outcomes[:3] {
			if outcome.Err != nil || !outcome.Repeat || !sameVote(outcome.Logged, first.Outcomes[i].Logged) {
				t.Errorf("vote %d: got %+v, want %+v again", i, outcome, first.Outcomes[i])
			}
		}
		if record, _ := subject.Recount(t, store); record.Head.Voters != 6 || record.Head.Version != 4 {
			t.Errorf("the head is %+v", record.Head)
		}
	})
	s.test("the same vote twice in one batch is counted once", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		vote := subject.NewVote(t, 1)
		effect := Insist(t, store, subject.Batch([]oponn.Vote{vote, vote}))
		if !effect.Outcomes[1].Repeat || !sameVote(effect.Outcomes[0].Logged, effect.Outcomes[1].Logged) {
			t.Errorf("got %+v", effect.Outcomes)
		}
		if record, _ := subject.Recount(t, store); record.Head.Voters != 1 {
			t.Errorf("%d voters", record.Head.Voters)
		}
	})
	s.test("the same vote id with another choice is refused", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		voter, id := oponn.NewVoterID(), oponn.NewVoteID()
		first := Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(voter, id, subject.Choice(t, 0))}))
		again := Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(voter, id, subject.Choice(t, 1))}))
		expect(t, again.Outcomes[0].Err, oponn.CodeVoteIDReused)
		expectHead(t, load(t, store, subject.ID).Head, first.Head)
	})
	s.test("two voters may use the same vote id", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		id := oponn.NewVoteID()
		effect := Insist(t, store, subject.Batch([]oponn.Vote{
			subject.Prepare(oponn.NewVoterID(), id, subject.Choice(t, 0)),
			subject.Prepare(oponn.NewVoterID(), id, subject.Choice(t, 1))}))
		for _, outcome := range effect.Outcomes {
			expect(t, outcome.Err, "")
		}
	})
}

func (s suite) order() {
	s.test("a voter on two ballots votes on both", func(t *testing.T, db database) {
		store := db.open(t)
		one, two := Create(t, store, Plan{}), Create(t, store, Plan{})
		voter, id := oponn.NewVoterID(), oponn.NewVoteID()
		for _, done := range store.Append(context.Background(), []oponn.Batch{
			one.Batch([]oponn.Vote{one.Prepare(voter, id, one.Choice(t, 0))}),
			two.Batch([]oponn.Vote{two.Prepare(voter, id, two.Choice(t, 0))})}) {
			expect(t, done.Err, "")
			expect(t, done.Effect.Outcomes[0].Err, "")
		}
		one.Recount(t, store)
		two.Recount(t, store)
	})
	s.test("positions have no gaps and follow the voters' tags within a batch", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		for range 4 {
			Insist(t, store, subject.Batch(subject.NewVotes(t, 9)))
		}
		record, log := subject.Recount(t, store) // checks the positions
		if record.Head.Position != 36 || len(log) != 36 || record.Head.Version != 5 {
			t.Errorf("%d votes, head %+v", len(log), record.Head)
		}
	})
}

// neighbours are batches of one transaction that must not harm each other.
func (s suite) neighbours() {
	for name, bad := range map[string]struct {
		batch func(t *testing.T, store oponn.Store) oponn.Batch
		code  oponn.Code
	}{
		"an Apply that fails leaves only its batch out": {func(t *testing.T, store oponn.Store) oponn.Batch {
			return failing(Create(t, store, Plan{}), func() error { return oponn.Errorf(oponn.CodeNotOpen, "no") })
		}, oponn.CodeNotOpen},
		"an Apply that panics leaves only its batch out": {func(t *testing.T, store oponn.Store) oponn.Batch {
			return failing(Create(t, store, Plan{}), func() error { panic("on purpose") })
		}, oponn.CodeInternal},
		"an Apply with a foreign error leaves only its batch out": {func(t *testing.T, store oponn.Store) oponn.Batch {
			return failing(Create(t, store, Plan{}), func() error { return errForeign })
		}, oponn.CodeInternal},
		"an unknown ballot leaves only its batch out": {func(t *testing.T, _ oponn.Store) oponn.Batch {
			return NewSubject(t, Plan{}).Batch(nil)
		}, oponn.CodeNotFound},
		"a deleted ballot leaves only its batch out": {func(t *testing.T, store oponn.Store) oponn.Batch {
			subject := Create(t, store, Plan{})
			Insist(t, store, subject.Deleting())
			return subject.Batch(subject.NewVotes(t, 2))
		}, oponn.CodeGone},
		"rows that are there already leave only their batch out": {func(t *testing.T, store oponn.Store) oponn.Batch {
			subject := Create(t, store, Plan{})
			votes := subject.NewVotes(t, 2)
			Insist(t, store, subject.Batch(votes))
			batch := subject.Batch(votes)
			batch.Votes = nil // so that Apply does not see them in the log
			batch.Apply = blind(subject, votes)
			return batch
		}, oponn.CodeInternal},
	} {
		s.test(name, func(t *testing.T, db database) {
			store := db.open(t)
			good := []*Subject{Create(t, store, Plan{}), Create(t, store, Plan{}), Create(t, store, Plan{})}
			batches := []oponn.Batch{bad.batch(t, store)}
			for _, subject := range good {
				batches = append(batches, subject.Batch(subject.NewVotes(t, 3)))
			}
			batches[0], batches[2] = batches[2], batches[0]
			before, _ := store.Load(context.Background(), batches[2].Ballot)
			done := store.Append(context.Background(), batches)
			expect(t, done[2].Err, bad.code)
			for _, i := range []int{0, 1, 3} {
				expect(t, done[i].Err, "")
				if got := load(t, store, batches[i].Ballot).Head; !sameHead(got, done[i].Effect.Head) || got.Voters != 3 {
					t.Errorf("batch %d: the head is %+v", i, got)
				}
			}
			after, _ := store.Load(context.Background(), batches[2].Ballot)
			expectRecord(t, after, before)
			for _, subject := range good {
				subject.Recount(t, store)
			}
		})
	}
	s.test("an error of Apply comes as it is", func(t *testing.T, db database) {
		store := db.open(t)
		done := AppendOne(store, failing(Create(t, store, Plan{}), func() error { return errForeign }))
		if !errors.Is(done.Err, errForeign) {
			t.Errorf("got %v", done.Err)
		}
	})
}

var errForeign = errors.New("an error without a code")

// failing returns a batch whose Apply computes everything and then fails.
func failing(subject *Subject, fail func() error) oponn.Batch {
	batch := subject.Batch(nil)
	apply := batch.Apply
	batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
		effect, _ := apply(g)
		return effect, fail()
	}
	return batch
}

// blind returns an Apply that takes votes as if nobody had voted before.
func blind(subject *Subject, votes []oponn.Vote) oponn.Apply {
	return func(g oponn.Ground) (oponn.Effect, error) {
		g.Earlier = make([][]oponn.LoggedVote, len(votes))
		return subject.Applying(votes, oponn.Change{}, oponn.Known{})(g)
	}
}
