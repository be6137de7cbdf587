package storetest

import (
	"context"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) deletion() {
	s.test("the record is gone for everyone", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		owner := oponn.NewOwnerID()
		subject := Create(t, store, Plan{Definition: withWriteIns.Definition, Owner: owner})
		Insist(t, store, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon"), subject.NewVote(t, 0)}))
		Insist(t, store, subject.Deleting())
		for _, store := range []oponn.Store{store, other} {
			ctx := context.Background()
			_, err := store.Load(ctx, subject.ID)
			expect(t, err, oponn.CodeGone)
			expect(t, AppendOne(store, subject.Batch(nil)).Err, oponn.CodeGone)
			expect(t, store.Scan(ctx, subject.ID, nil, nil), oponn.CodeGone)
			heads, err := store.Heads(ctx, []oponn.BallotID{subject.ID})
			expect(t, err, "")
			owned, err := store.Owned(ctx, owner.Hash(), oponn.Edge{}, 10)
			expect(t, err, "")
			ids, err := store.Ballots(ctx, oponn.BallotID{}, 10)
			expect(t, err, "")
			if len(heads)+len(owned)+len(ids) != 0 {
				t.Errorf("still there: heads %v, owned %v, ids %v", heads, owned, ids)
			}
		}
	})
	s.test("its id can't be used again", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Deleting())
		_, err := store.Create(context.Background(), subject.Record)
		expect(t, err, oponn.CodeInternal)
		_, err = store.Load(context.Background(), subject.ID)
		expect(t, err, oponn.CodeGone)
	})
	s.test("deleting again is gone", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Deleting())
		expect(t, AppendOne(store, subject.Deleting()).Err, oponn.CodeGone)
	})
	s.test("its neighbours stay", func(t *testing.T, db database) {
		store := db.open(t)
		subject, neighbour := Create(t, store, Plan{}), Create(t, store, Plan{})
		for _, done := range store.Append(context.Background(), []oponn.Batch{subject.Deleting(), neighbour.Batch(neighbour.NewVotes(t, 4))}) {
			expect(t, done.Err, "")
		}
		neighbour.Recount(t, store)
	})
	s.test("votes are asked for without an error", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		vote := subject.NewVote(t, 0)
		Insist(t, store, subject.Batch([]oponn.Vote{vote}))
		Insist(t, store, subject.Deleting())
		_, err := store.Votes(context.Background(), subject.ID, vote.Tag)
		expect(t, err, "")
	})
	s.test("deleting and voting at once leaves a tombstone", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], Plan{})
		done := make(chan error)
		insistOn := func(store oponn.Store, batch oponn.Batch) {
			_, err := insist(store, batch)
			done <- err
		}
		go insistOn(stores[0], subject.Deleting())
		for i := range 6 {
			go insistOn(stores[i%2], subject.Batch(subject.NewVotes(t, 3)))
		}
		for range 7 {
			if err := <-done; err != nil && oponn.CodeOf(err) != oponn.CodeGone {
				t.Error(err)
			}
		}
		_, err := stores[1].Load(context.Background(), subject.ID)
		expect(t, err, oponn.CodeGone)
	})
}
