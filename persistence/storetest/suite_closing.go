package storetest

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func (s suite) closing() {
	s.test("the owner closes: one version, and nothing is taken after it", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		votes := subject.NewVotes(t, 2)
		Insist(t, store, subject.Batch(votes))
		closed := Insist(t, store, subject.Closing())
		if closed.Head.Version != 3 || closed.State.Status != oponn.Closed {
			t.Fatalf("got %+v", closed)
		}
		late := Insist(t, store, subject.Batch(append(subject.NewVotes(t, 1), votes[0])))
		expect(t, late.Outcomes[0].Err, oponn.CodeClosed)
		if !late.Outcomes[1].Repeat {
			t.Errorf("a repeat after closing got %+v", late.Outcomes[1])
		}
		record, _ := subject.Recount(t, store)
		expectHead(t, record.Head, closed.Head)
	})
	s.test("the second closer finds it done and changes nothing", func(t *testing.T, db database) {
		one, two := db.open(t), db.open(t)
		subject := Create(t, one, Plan{})
		first := Insist(t, one, subject.Closing())
		second := Insist(t, two, subject.Closing())
		expectHead(t, second.Head, first.Head)
		expectHead(t, load(t, two, subject.ID).Head, first.Head)
		if second.State.ClosedAt != first.State.ClosedAt {
			t.Errorf("closed at %s, then at %s", first.State.ClosedAt, second.State.ClosedAt)
		}
	})
	s.test("votes after the closing time are refused, and the head is closed once", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{Window: oponn.Window{ClosesAt: clockOf(t, store)}})
		late := Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		for _, outcome := range late.Outcomes {
			expect(t, outcome.Err, oponn.CodeClosed)
		}
		later := Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
		record, log := subject.Recount(t, store)
		if state := subject.State(t, record.Head); len(log) != 0 || record.Head.Version != 2 || state.Status != oponn.Closed {
			t.Errorf("%d votes, head %+v, state %+v", len(log), record.Head, state)
		}
		expectHead(t, later.Head, late.Head)
	})
	s.test("the clock is read when the head is held, not when the batch came", func(t *testing.T, db database) {
		closesDuringWait(t, db.open(t), nil)
	})
	s.test("the clock is read when the head is held, also by another instance", func(t *testing.T, db database) {
		closesDuringWait(t, db.open(t), db.open(t))
	})
	s.test("many close at once: one of them does it", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], Plan{})
		done := make(chan oponn.Effect)
		for i := range 8 {
			go func() {
				effect, err := insist(stores[i%2], subject.Closing())
				if err != nil {
					t.Errorf("close: %v", err)
				}
				done <- effect
			}()
		}
		for range 8 {
			if effect := <-done; effect.Head.Version != 2 {
				t.Errorf("closed at version %d", effect.Head.Version)
			}
		}
		subject.Recount(t, stores[0])
	})
}

// closesDuringWait holds a head beyond the closing time and lets a vote wait
// for it that was sent in time. On a busy machine the holder itself may be too
// late: then the ballot is given more time.
func closesDuringWait(t *testing.T, store, other oponn.Store) {
	if other == nil {
		other = store
	}
	for open := 40 * time.Millisecond; ; open *= 4 {
		switch {
		case heldBeyondClosing(t, store, other, open):
			return
		case open > time.Minute:
			t.Fatalf("no vote was in time on a ballot that is open for %s", open)
		}
	}
}

// heldBeyondClosing does so with a ballot that is open for the given time, and
// says whether the holder came in time.
func heldBeyondClosing(t *testing.T, store, other oponn.Store, open time.Duration) bool {
	closes := clockOf(t, store).Add(open)
	subject := Create(t, store, Plan{Window: oponn.Window{ClosesAt: closes}})
	holder := subject.Batch(subject.NewVotes(t, 1))
	apply, held := holder.Apply, make(chan struct{})
	hold := sync.OnceFunc(func() { close(held) })
	holder.Apply = func(g oponn.Ground) (oponn.Effect, error) {
		hold()
		effect, err := apply(g)
		for clockOf(t, store).Before(closes) {
			runtime.Gosched() // time must pass while the head is held
		}
		return effect, err
	}
	first := make(chan oponn.Appended)
	go func() { first <- AppendOne(store, holder) }()
	<-held
	second := Insist(t, other, subject.Batch(subject.NewVotes(t, 1)))
	done := <-first
	if done.Err != nil {
		t.Fatalf("append: %v", done.Err)
	}
	if oponn.CodeOf(done.Effect.Outcomes[0].Err) == oponn.CodeClosed && !done.Effect.State.ClosedAt.Before(closes) {
		return false
	}
	expect(t, done.Effect.Outcomes[0].Err, "")
	expect(t, second.Outcomes[0].Err, oponn.CodeClosed)
	record, log := subject.Recount(t, store)
	if state := subject.State(t, record.Head); len(log) != 1 || record.Head.Version != 3 || state.Status != oponn.Closed {
		t.Errorf("%d votes, head %+v, state %+v", len(log), record.Head, state)
	}
	return true
}

func (s suite) restart() {
	s.test("what was acknowledged is there after reopening", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		votes := subject.NewVotes(t, 20)
		effect := Insist(t, store, subject.Batch(votes))
		expect(t, store.Close(), "")
		store = db.open(t)
		record, log := subject.Recount(t, store)
		expectHead(t, record.Head, effect.Head)
		expectVotes(t, log, effect.Logged)
		again := Insist(t, store, subject.Batch(votes))
		for i, outcome := range again.Outcomes {
			if !outcome.Repeat || !sameVote(outcome.Logged, effect.Outcomes[i].Logged) {
				t.Errorf("vote %d: %+v", i, outcome)
			}
		}
	})
	s.test("a closed ballot stays closed and a deleted one deleted", func(t *testing.T, db database) {
		store := db.open(t)
		closed, deleted := Create(t, store, Plan{}), Create(t, store, Plan{})
		Insist(t, store, closed.Closing())
		Insist(t, store, deleted.Deleting())
		expect(t, store.Close(), "")
		store = db.open(t)
		if state := closed.State(t, load(t, store, closed.ID).Head); state.Status != oponn.Closed {
			t.Errorf("the state is %+v", state)
		}
		_, err := store.Load(context.Background(), deleted.ID)
		expect(t, err, oponn.CodeGone)
	})
}

func (s suite) close() {
	s.test("closing twice is harmless", func(t *testing.T, db database) {
		store := db.open(t)
		expect(t, store.Close(), "")
		expect(t, store.Close(), "")
	})
	s.test("use after closing is an error that may be tried elsewhere", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		expect(t, store.Close(), "")
		for name, err := range callAll(context.Background(), store, subject) {
			if code := oponn.CodeOf(err); code != oponn.CodeStoreUnavailable {
				t.Errorf("%s gave the code %q: %v", name, code, err)
			}
		}
		subject.Recount(t, db.open(t))
	})
	s.test("closing waits for an Append under way", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		batch := subject.Batch(subject.NewVotes(t, 3))
		apply, entered, leave := batch.Apply, make(chan struct{}, 1), make(chan struct{})
		batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			entered <- struct{}{}
			<-leave
			return apply(g)
		}
		done, closed := make(chan oponn.Appended, 1), make(chan error, 1)
		go func() { done <- AppendOne(store, batch) }()
		<-entered
		go func() { closed <- store.Close() }()
		close(leave)
		expect(t, (<-done).Err, "")
		expect(t, <-closed, "")
		subject.Recount(t, db.open(t))
	})
}

// callAll calls every method that can fail and returns their errors by name.
func callAll(ctx context.Context, store oponn.Store, subject *Subject) map[string]error {
	errs := map[string]error{}
	_, errs["Create"] = store.Create(ctx, NewSubject(discard{}, Plan{}).Record)
	_, errs["Load"] = store.Load(ctx, subject.ID)
	_, errs["Heads"] = store.Heads(ctx, []oponn.BallotID{subject.ID})
	errs["Append"] = store.Append(ctx, []oponn.Batch{subject.Batch(nil)})[0].Err
	_, errs["Votes"] = store.Votes(ctx, subject.ID, oponn.VoterTag{})
	_, errs["VotesByTag"] = store.VotesByTag(ctx, subject.ID, oponn.VoterTag{}, 0)
	_, errs["Owned"] = store.Owned(ctx, [32]byte{1}, oponn.Edge{}, 10)
	_, errs["Ballots"] = store.Ballots(ctx, oponn.BallotID{}, 10)
	errs["Scan"] = store.Scan(ctx, subject.ID, func(oponn.Record) error { return nil }, func(oponn.LoggedVote) error { return nil })
	_, errs["Now"] = store.Now(ctx)
	return errs
}

// discard is a TB for what can't fail.
type discard struct{}

func (discard) Helper()                           {}
func (discard) Errorf(format string, args ...any) { panic(format) }
func (discard) Fatalf(format string, args ...any) { panic(format) }
