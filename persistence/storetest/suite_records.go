package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func (s suite) create() {
	s.test("a new ballot is kept as it was given", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{Owner: oponn.NewOwnerID()})
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
	s.test("the time is the store's, in whole microseconds of UTC", func(t *testing.T, db database) {
		store := db.open(t)
		subject := NewSubject(t, Plan{})
		subject.Record.CreatedAt = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
		at, err := store.Create(context.Background(), subject.Record)
		expect(t, err, "")
		if now := clockOf(t, store); at.After(now) || now.Sub(at) > time.Minute {
			t.Errorf("created at %s, the store's clock is %s", at, now)
		}
		if at.Location() != time.UTC || !at.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("created at %s", at)
		}
		if got := load(t, store, subject.ID).CreatedAt; got != at {
			t.Errorf("loaded %s, created at %s", got, at)
		}
	})
	s.test("an id that is taken is refused and the first ballot stays", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		other := subject.Record
		other.Definition = []byte("another")
		_, err := store.Create(context.Background(), other)
		expect(t, err, oponn.CodeInternal)
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
	for name, alter := range map[string]func(*oponn.Record){
		"a first head at another version is refused": func(r *oponn.Record) { r.Head.Version = 2 },
		"a first head with votes is refused":         func(r *oponn.Record) { r.Head.Position, r.Head.Voters = 1, 1 },
		"a first head of another ballot is refused":  func(r *oponn.Record) { r.Head.Ballot = oponn.NewBallotID() },
	} {
		s.test(name, func(t *testing.T, db database) {
			store := db.open(t)
			subject := NewSubject(t, Plan{})
			alter(&subject.Record)
			_, err := store.Create(context.Background(), subject.Record)
			expect(t, err, oponn.CodeInternal)
			_, err = store.Load(context.Background(), subject.ID)
			expect(t, err, oponn.CodeNotFound)
		})
	}
	s.test("what the caller changes afterwards changes nothing stored", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		want := load(t, store, subject.ID)
		for _, b := range [][]byte{subject.Record.Definition, subject.Record.Head.Sealed, subject.Record.Key.Blob, load(t, store, subject.ID).Definition} {
			b[0] ^= 0xff
		}
		expectRecord(t, load(t, store, subject.ID), want)
	})
}

func (s suite) load() {
	s.test("an unknown ballot is not found", func(t *testing.T, db database) {
		_, err := db.open(t).Load(context.Background(), oponn.NewBallotID())
		expect(t, err, oponn.CodeNotFound)
	})
	s.test("votes and changes show in the head", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 5)))
		expectHead(t, load(t, store, subject.ID).Head, effect.Head)
	})
}

func (s suite) heads() {
	s.test("those that exist are returned once, the others left out", func(t *testing.T, db database) {
		store := db.open(t)
		want := map[oponn.BallotID]oponn.Head{}
		ids := []oponn.BallotID{oponn.NewBallotID()}
		for range 5 {
			subject := Create(t, store, Plan{})
			want[subject.ID] = Insist(t, store, subject.Batch(subject.NewVotes(t, 2))).Head
			ids = append(ids, subject.ID, oponn.NewBallotID())
		}
		deleted := Create(t, store, Plan{})
		Insist(t, store, deleted.Deleting())
		ids = append(ids, deleted.ID, ids[1])
		heads, err := store.Heads(context.Background(), ids)
		expect(t, err, "")
		if len(heads) != len(want) {
			t.Errorf("got %d heads, want %d", len(heads), len(want))
		}
		for _, head := range heads {
			expectHead(t, head, want[head.Ballot])
		}
	})
	s.test("none are asked for", func(t *testing.T, db database) {
		heads, err := db.open(t).Heads(context.Background(), nil)
		expect(t, err, "")
		if len(heads) != 0 {
			t.Errorf("got %d heads", len(heads))
		}
	})
	s.test("two thousand are asked for at once", func(t *testing.T, db database) {
		store := db.open(t)
		ids := []oponn.BallotID{Create(t, store, Plan{}).ID, Create(t, store, Plan{}).ID}
		for len(ids) < 2000 {
			ids = append(ids, oponn.NewBallotID())
		}
		heads, err := store.Heads(context.Background(), ids)
		expect(t, err, "")
		if len(heads) != 2 {
			t.Errorf("got %d heads, want 2", len(heads))
		}
	})
}

func (s suite) clock() {
	s.test("it does not go back, and a transaction lies between two readings", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		last := clockOf(t, store)
		for range 20 {
			batch := subject.Batch(subject.NewVotes(t, 1))
			at := Insist(t, store, batch).Logged[0].At
			now := clockOf(t, store)
			if at.Before(last) || now.Before(at) {
				t.Fatalf("read %s, then voted at %s, then read %s", last, at, now)
			}
			last = now
		}
	})
	s.test("it is read in whole microseconds of UTC", func(t *testing.T, db database) {
		if now := clockOf(t, db.open(t)); now.Location() != time.UTC || !now.Equal(now.Truncate(time.Microsecond)) {
			t.Errorf("the clock is %s", now)
		}
	})
}

func clockOf(t TB, store oponn.Store) time.Time {
	t.Helper()
	now, err := store.Now(context.Background())
	if err != nil {
		t.Fatalf("read the store's clock: %v", err)
	}
	return now
}
