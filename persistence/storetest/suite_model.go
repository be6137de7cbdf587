package storetest

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// model compares the store with the simplest thing that could be right.
func (s suite) model() {
	s.test("random batches do what the model says", func(t *testing.T, db database) {
		one, two := db.open(t), db.open(t)
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(rt, []oponn.Store{one, two})
			for range rapid.IntRange(1, 12).Draw(rt, "appends") {
				m.step(rt)
			}
			for _, ballot := range m.ballots {
				ballot.check(rt, one)
			}
		})
	})
}

const modelVoters = 6

// model is a few ballots, and voters of whom each has an id per ballot.
type model struct {
	stores  []oponn.Store
	ballots []*modelBallot
}

// modelBallot is all that a ballot should be.
type modelBallot struct {
	*Subject
	voters  [modelVoters]oponn.VoterID
	ids     [2]oponn.VoteID
	version uint64
	closed  bool
	deleted bool
	first   map[int]modelVote // by voter: the vote that stands
	counts  [3]uint64
	effects []oponn.Effect // those of votes
}

// modelVote is one voter's vote: which of the ids, and which option.
type modelVote struct{ voter, id, option int }

func newModel(t TB, stores []oponn.Store) *model {
	m := &model{stores: stores}
	for range 3 {
		b := &modelBallot{Subject: Create(t, stores[0], Plan{}), version: 1, first: map[int]modelVote{},
			ids: [2]oponn.VoteID{oponn.NewVoteID(), oponn.NewVoteID()}}
		for i := range b.voters {
			b.voters[i] = oponn.NewVoterID()
		}
		m.ballots = append(m.ballots, b)
	}
	return m
}

// step appends batches for some of the ballots in one transaction.
func (m *model) step(t *rapid.T) {
	var batches []oponn.Batch
	var expected []func(oponn.Appended)
	for _, ballot := range rapid.Permutation(m.ballots).Draw(t, "ballots")[:rapid.IntRange(1, len(m.ballots)).Draw(t, "batches")] {
		batch, expect := ballot.draw(t)
		batches, expected = append(batches, batch), append(expected, expect)
	}
	store := rapid.SampledFrom(m.stores).Draw(t, "store")
	for i, done := range store.Append(context.Background(), batches) {
		expected[i](done)
	}
}

// draw makes a batch, and what checks its answer and moves the model on.
func (b *modelBallot) draw(t *rapid.T) (oponn.Batch, func(oponn.Appended)) {
	switch rapid.IntRange(0, 11).Draw(t, "kind") {
	case 0:
		return b.Closing(), func(done oponn.Appended) {
			if b.alive(t, done) && !b.closed {
				b.closed = true
				b.version++
			}
		}
	case 1:
		return b.Deleting(), func(done oponn.Appended) {
			if b.alive(t, done) {
				b.deleted = true
			}
		}
	case 2:
		return failing(b.Subject, func() error { return oponn.Errorf(oponn.CodeInvalid, "on purpose") }), func(done oponn.Appended) {
			if !b.deleted {
				expect(t, done.Err, oponn.CodeInvalid)
			}
		}
	}
	votes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) modelVote {
		return modelVote{rapid.IntRange(0, modelVoters-1).Draw(t, "voter"), rapid.IntRange(0, 1).Draw(t, "id"), rapid.IntRange(0, 2).Draw(t, "option")}
	}), 0, 8).Draw(t, "votes")
	prepared := make([]oponn.Vote, len(votes))
	for i, v := range votes {
		prepared[i] = b.Prepare(b.voters[v.voter], b.ids[v.id], b.Choice(t, v.option))
	}
	batch := b.Batch(prepared)
	if len(b.effects) > 0 && rapid.Bool().Draw(t, "known") {
		batch = b.After(rapid.SampledFrom(b.effects).Draw(t, "head"), prepared)
	}
	return batch, func(done oponn.Appended) {
		if b.alive(t, done) {
			b.take(t, votes, done.Effect)
			b.effects = append(b.effects, done.Effect)
		}
	}
}

// alive checks the answer for a ballot that may be deleted.
func (b *modelBallot) alive(t TB, done oponn.Appended) bool {
	if b.deleted {
		expect(t, done.Err, oponn.CodeGone)
		return false
	}
	expect(t, done.Err, "")
	return true
}

// take moves the model on by votes and compares it with the effect.
func (b *modelBallot) take(t TB, votes []modelVote, effect oponn.Effect) {
	accepted := 0
	for i, v := range votes {
		want, repeat := oponn.Code(""), false
		switch past, voted := b.first[v.voter]; {
		case voted && past.id != v.id:
			want = oponn.CodeAlreadyVoted
		case voted && past.option != v.option:
			want = oponn.CodeVoteIDReused
		case voted:
			repeat = true
		case b.closed:
			want = oponn.CodeClosed
		default:
			b.first[v.voter] = v
			b.counts[v.option]++
			accepted++
		}
		expect(t, effect.Outcomes[i].Err, want)
		if effect.Outcomes[i].Repeat != repeat {
			t.Fatalf("vote %d: repeat is %t, want %t", i, !repeat, repeat)
		}
	}
	if accepted > 0 {
		b.version++
	}
	if effect.Head.Version != b.version || len(effect.Logged) != accepted {
		t.Fatalf("%d accepted, version %d; want %d, %d", len(effect.Logged), effect.Head.Version, accepted, b.version)
	}
}

// check compares the stored ballot with the model.
func (b *modelBallot) check(t TB, store oponn.Store) {
	if b.deleted {
		_, err := store.Load(context.Background(), b.ID)
		expect(t, err, oponn.CodeGone)
		return
	}
	record, log := b.Recount(t, store)
	state := b.State(t, record.Head)
	if record.Head.Version != b.version || len(log) != len(b.first) || [3]uint64(state.Counts) != b.counts || (state.Status == oponn.Closed) != b.closed {
		t.Fatalf("stored %+v with %+v, the model is at version %d, closed %t, counts %v", record.Head, state, b.version, b.closed, b.counts)
	}
	for voter, v := range b.first {
		votes, err := store.Votes(context.Background(), b.ID, b.Key.VoterTag(b.voters[voter]))
		expect(t, err, "")
		if len(votes) != 1 || votes[0].ID != b.ids[v.id] {
			t.Fatalf("voter %d has %+v", voter, votes)
		}
	}
}
