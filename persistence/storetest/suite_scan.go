package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) scan() {
	s.test("an unknown ballot is not found", func(t *testing.T, db database) {
		expect(t, db.open(t).Scan(context.Background(), oponn.NewBallotID(), nil, nil), oponn.CodeNotFound)
	})
	s.test("a ballot without votes has a record alone", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		record, log := subject.Recount(t, store)
		expectRecord(t, record, subject.Record)
		expectVotes(t, log, nil)
	})
	s.test("the log comes in the order of positions, of this ballot alone", func(t *testing.T, db database) {
		store := db.open(t)
		subject, other := Create(t, store, Plan{}), Create(t, store, Plan{})
		var want []oponn.LoggedVote
		for range 6 {
			want = append(want, Insist(t, store, subject.Batch(subject.NewVotes(t, 5))).Logged...)
			Insist(t, store, other.Batch(other.NewVotes(t, 5)))
		}
		_, log := subject.Recount(t, store)
		expectVotes(t, log, want)
	})
	s.test("an error of the reader ends it and is returned", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Batch(subject.NewVotes(t, 5)))
		enough := errors.New("enough")
		begin := func(oponn.Record) error { return nil }
		seen := 0
		err := store.Scan(context.Background(), subject.ID, begin, func(oponn.LoggedVote) error {
			if seen++; seen == 2 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || seen != 2 {
			t.Errorf("after %d votes: %v", seen, err)
		}
		err = store.Scan(context.Background(), subject.ID, func(oponn.Record) error { return enough }, nil)
		if !errors.Is(err, enough) {
			t.Errorf("after the record: %v", err)
		}
		subject.Recount(t, store)
	})
	s.test("the store can be asked and told things during a scan", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		first := Insist(t, store, subject.Batch(subject.NewVotes(t, 5)))
		seen := 0
		err := store.Scan(context.Background(), subject.ID, func(record oponn.Record) error {
			Insist(t, store, subject.Batch(subject.NewVotes(t, 5)))
			expectHead(t, record.Head, first.Head)
			return nil
		}, func(oponn.LoggedVote) error {
			load(t, store, subject.ID)
			seen++
			return nil
		})
		expect(t, err, "")
		if seen != 5 {
			t.Errorf("the scan saw %d votes of the 5 in its snapshot", seen)
		}
	})
	s.test("recount equals head while votes come in", func(t *testing.T, db database) {
		writing, reading := db.open(t), db.open(t)
		subject := Create(t, writing, withWriteIns)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 100 {
				votes := subject.NewVotes(t, 5)
				if i%4 == 0 {
					votes = append(votes, subject.writeInVote(t, oponn.NewVoteID().String()))
				}
				if _, err := insist(writing, subject.Batch(votes)); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		}()
		last := 0
		for i, more := 0, true; more; i++ {
			select {
			case <-done:
				more = false // once more for the end
			default:
			}
			_, log := subject.Recount(t, []oponn.Store{reading, writing}[i%2])
			if len(log) < last {
				t.Errorf("%d votes after %d", len(log), last)
			}
			last = len(log)
		}
		if last != 525 {
			t.Errorf("%d votes at the end", last)
		}
	})
}
