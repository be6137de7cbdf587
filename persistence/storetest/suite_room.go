package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// expectJoin checks which code a ballot has, and that it leads there.
func expectJoin(t TB, store oponn.Store, ballot oponn.BallotID, want oponn.JoinCode) {
	t.Helper()
	code, err := store.JoinCode(context.Background(), ballot)
	expect(t, err, "")
	if code != want {
		t.Fatalf("the ballot has the code %q, want %q", code, want)
	}
	if want == "" {
		return
	}
	joined, err := store.Joined(context.Background(), want)
	expect(t, err, "")
	if joined != ballot {
		t.Fatalf("%s leads to %s, want %s", want, joined, ballot)
	}
}

func (s suite) joinCodes() {
	ctx := context.Background()
	claim := func(t TB, store oponn.Store, ballot oponn.BallotID, candidates ...oponn.JoinCode) oponn.JoinCode {
		t.Helper()
		code, err := store.ClaimJoinCode(ctx, ballot, candidates)
		expect(t, err, "")
		return code
	}
	s.test("a ballot gets the first that is free, and keeps it", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		one, two := Create(t, store, Plan{}), Create(t, store, Plan{})
		expectJoin(t, store, one.ID, "")
		if code := claim(t, store, one.ID, "111111", "222222"); code != "111111" {
			t.Fatalf("got %s", code)
		}
		if code := claim(t, other, one.ID, "333333"); code != "111111" {
			t.Fatalf("got another one, %s", code)
		}
		if code := claim(t, other, two.ID, "111111", "444444"); code != "444444" {
			t.Fatalf("got %s, want the one that is free", code)
		}
		expectJoin(t, other, one.ID, "111111")
		expectJoin(t, store, two.ID, "444444")
		_, err := store.Joined(ctx, "222222")
		expect(t, err, oponn.CodeNotFound)
		_, err = store.ClaimJoinCode(ctx, Create(t, store, Plan{}).ID, []oponn.JoinCode{"111111", "444444"})
		expect(t, err, oponn.CodeBusy)
	})
	s.test("closing releases it, and a rest follows", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject, next := Create(t, store, Plan{}), Create(t, store, Plan{})
		claim(t, store, subject.ID, "111111")
		Insist(t, store, subject.Batch(subject.NewVotes(t, 3)))
		expectJoin(t, store, subject.ID, "111111")
		Insist(t, other, subject.Closing())
		expectJoin(t, store, subject.ID, "")
		_, err := store.Joined(ctx, "111111")
		expect(t, err, oponn.CodeNotFound)
		_, err = store.ClaimJoinCode(ctx, next.ID, []oponn.JoinCode{"111111"})
		expect(t, err, oponn.CodeBusy)
		// The ballot itself, opened again, gets its own back.
		if code := claim(t, other, subject.ID, "555555"); code != "111111" {
			t.Errorf("got %s", code)
		}
		expectJoin(t, store, subject.ID, "111111")
	})
	s.test("deletion releases it too", func(t *testing.T, db database) {
		store := db.open(t)
		subject, next := Create(t, store, Plan{}), Create(t, store, Plan{})
		claim(t, store, subject.ID, "111111")
		Insist(t, store, subject.Deleting())
		expectJoin(t, store, subject.ID, "")
		_, err := store.Joined(ctx, "111111")
		expect(t, err, oponn.CodeNotFound)
		_, err = store.ClaimJoinCode(ctx, next.ID, []oponn.JoinCode{"111111"})
		expect(t, err, oponn.CodeBusy)
		_, err = store.ClaimJoinCode(ctx, subject.ID, []oponn.JoinCode{"222222"})
		expect(t, err, oponn.CodeGone)
		_, err = store.ClaimJoinCode(ctx, oponn.NewBallotID(), []oponn.JoinCode{"222222"})
		expect(t, err, oponn.CodeNotFound)
	})
	s.test("of many who claim at once each gets one, and every ballot one", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subjects := []*Subject{Create(t, stores[0], Plan{}), Create(t, stores[0], Plan{})}
		type claimed struct {
			ballot oponn.BallotID
			code   oponn.JoinCode
			err    error
		}
		done := make(chan claimed)
		for i := range 8 {
			go func() {
				ballot := subjects[i%2].ID
				code, err := stores[i/4].ClaimJoinCode(ctx, ballot, []oponn.JoinCode{"111111", "222222"})
				done <- claimed{ballot, code, err}
			}()
		}
		codes := make(map[oponn.BallotID]oponn.JoinCode)
		for range 8 {
			c := <-done
			expect(t, c.err, "")
			if before, ok := codes[c.ballot]; ok && before != c.code {
				t.Errorf("%s has the codes %s and %s", c.ballot, before, c.code)
			}
			codes[c.ballot] = c.code
		}
		if codes[subjects[0].ID] == codes[subjects[1].ID] {
			t.Errorf("two ballots have the code %s", codes[subjects[0].ID])
		}
	})
}

func (s suite) pace() {
	s.test("voters are counted by their first vote", func(t *testing.T, db database) {
		store, ctx := db.open(t), context.Background()
		subject := Create(t, store, Plan{Definition: oponn.Definition{Rules: oponn.Rules{AllowChange: true}}})
		stranger := Create(t, store, Plan{})
		Insist(t, store, stranger.Batch(stranger.NewVotes(t, 9)))
		voter := oponn.NewVoterID()
		for n := range 3 {
			Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, n))}))
		}
		Insist(t, store, subject.Batch(subject.NewVotes(t, 40)))
		for _, span := range []oponn.Span{
			{From: clockOf(t, store).Add(-time.Hour).Truncate(time.Second), Slot: time.Hour + time.Minute},
			{From: clockOf(t, store).Add(time.Hour).Truncate(time.Second), Slot: time.Second}, // all came before: the first slot
		} {
			slots, err := store.Pace(ctx, subject.ID, span)
			expect(t, err, "")
			if len(slots) != 1 || slots[0] != (oponn.Slot{Number: 0, Voters: 41}) {
				t.Errorf("got %+v", slots)
			}
		}
		slots, err := store.Pace(ctx, subject.ID, oponn.Span{From: clockOf(t, store).Add(-time.Hour).Truncate(time.Second), Slot: 10 * time.Minute})
		expect(t, err, "")
		var sum uint64
		for _, slot := range slots {
			sum += slot.Voters
			if slot.Number < 5 || slot.Number > 6 {
				t.Errorf("a vote of now in slot %d", slot.Number)
			}
		}
		if sum != 41 {
			t.Errorf("counted %d", sum)
		}
		if slots, err = store.Pace(ctx, oponn.NewBallotID(), oponn.Span{From: clockOf(t, store), Slot: time.Second}); err != nil || len(slots) > 0 {
			t.Errorf("of no ballot: %+v, %v", slots, err)
		}
	})
}
