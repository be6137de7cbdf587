package storetest

import (
	"context"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) rewrap() {
	anew := func(name string, commitment []byte) oponn.WrappedKey {
		return oponn.WrappedKey{KEK: name, Blob: []byte(name + " \x00\xff blob"), Commitment: commitment}
	}
	s.test("a key is replaced, and nothing else", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject, neighbour := Create(t, store, Plan{}), Create(t, store, Plan{})
		Insist(t, store, subject.Batch(subject.NewVotes(t, 3)))
		before, err := store.Load(context.Background(), subject.ID)
		expect(t, err, "")
		to := anew("second", before.Key.Commitment)
		for range 2 { // once more is the same
			expect(t, store.Rewrap(context.Background(), subject.ID, before.Key, to), "")
		}
		after, err := other.Load(context.Background(), subject.ID)
		expect(t, err, "")
		if !after.Key.Equal(to) || after.Head.Version != before.Head.Version || string(after.Definition) != string(before.Definition) {
			t.Errorf("before %+v, after %+v", before, after)
		}
		beside, err := store.Load(context.Background(), neighbour.ID)
		expect(t, err, "")
		if !beside.Key.Equal(neighbour.Record.Key) {
			t.Error("the neighbour has another key")
		}
	})
	s.test("of two who replace the same key one is told to load again", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject := Create(t, store, Plan{})
		from := subject.Record.Key
		one, two := anew("one", from.Commitment), anew("two", from.Commitment)
		expect(t, store.Rewrap(context.Background(), subject.ID, from, one), "")
		expect(t, other.Rewrap(context.Background(), subject.ID, from, two), oponn.CodeBusy)
		record, err := store.Load(context.Background(), subject.ID)
		expect(t, err, "")
		if !record.Key.Equal(one) {
			t.Errorf("the key is under %s", record.Key.KEK)
		}
	})
	s.test("unknown and deleted ballots have none", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		from := subject.Record.Key
		expect(t, store.Rewrap(context.Background(), oponn.NewBallotID(), from, from), oponn.CodeNotFound)
		Insist(t, store, subject.Deleting())
		expect(t, store.Rewrap(context.Background(), subject.ID, from, anew("late", nil)), oponn.CodeGone)
	})
}
