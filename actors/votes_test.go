package actors_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
)

func TestCast(t *testing.T) {
	t.Run("a vote is counted and has a receipt", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			c := vote(id, "2")
			receipt := w.cast(c)
			if receipt.VoteID != c.VoteID || receipt.Version != 2 || receipt.Repeat || receipt.Locator == "" || receipt.At.IsZero() {
				t.Errorf("receipt %+v", receipt)
			}
			if results := w.result(id).Results(); results[0].Votes != 0 || results[1].Votes != 1 {
				t.Errorf("results %+v", results)
			}
			w.expectVotes(id, 1)
		})
	})
	t.Run("sent again it has the same receipt", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			c := vote(id, "1")
			first := w.cast(c)
			again := w.cast(c)
			if !again.Repeat {
				t.Error("the second receipt doesn't say that it is a repeat")
			}
			if again.Repeat = false; again != first {
				t.Errorf("receipt %+v, then %+v", first, again)
			}
			w.expectVotes(id, 1)
		})
	})
	t.Run("many times at once it is counted once", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			c := vote(id, "1")
			var done sync.WaitGroup
			for range 50 {
				done.Go(func() {
					if _, err := w.Cast(context.Background(), c); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			w.expectVotes(id, 1)
		})
	})
	t.Run("a second vote and another choice are refused", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			c := vote(id, "1")
			w.cast(c)
			other := c
			other.Choices = []oponn.OptionID{"2"}
			if code := w.castCode(other); code != oponn.CodeVoteIDReused {
				t.Errorf("another choice: %s", code)
			}
			other.VoteID = oponn.NewVoteID()
			if code := w.castCode(other); code != oponn.CodeAlreadyVoted {
				t.Errorf("another vote id: %s", code)
			}
			voted, err := w.Voted(context.Background(), id, c.Voter)
			if err != nil || voted == nil || voted.VoteID != c.VoteID {
				t.Errorf("Voted: %+v, %v", voted, err)
			}
			if none, err := w.Voted(context.Background(), id, oponn.NewVoterID()); err != nil || none != nil {
				t.Errorf("Voted of a stranger: %+v, %v", none, err)
			}
			w.expectVotes(id, 1)
		})
	})
	t.Run("an unknown option is refused and an unknown ballot not kept", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			if code := w.castCode(vote(w.ballot(), "3")); code != oponn.CodeInvalid {
				t.Errorf("unknown option: %s", code)
			}
			before := w.load().Awake
			if code := w.castCode(vote(oponn.NewBallotID(), "1")); code != oponn.CodeNotFound {
				t.Errorf("unknown ballot: %s", code)
			}
			synctest.Wait()
			if awake := w.load().Awake; awake != before {
				t.Errorf("%d ballots awake, then %d", before, awake)
			}
		})
	})
	t.Run("a write-in becomes an option", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			for _, text := range []string{"Elastic tabstops", "elastic  TABSTOPS"} {
				c := vote(id, "")
				c.Choices, c.WriteIn = nil, text
				w.cast(c)
			}
			results := w.result(id).Results()
			if len(results) != 3 || results[2].Votes != 2 || results[2].Option.Label != "Elastic tabstops" {
				t.Fatalf("results %+v", results)
			}
			w.cast(vote(id, results[2].Option.ID))
			w.expectVotes(id, 3)
		})
	})
}

func TestGroupCommit(t *testing.T) {
	t.Run("what comes while a transaction is under way goes into the next", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			release := w.store.Hold()
			var done sync.WaitGroup
			done.Go(func() { w.cast(vote(id, "1")) })
			synctest.Wait() // the first one is in flight
			for range 99 {
				done.Go(func() { w.cast(vote(id, "2")) })
			}
			synctest.Wait()
			release()
			done.Wait()
			if c := w.store.Counters(); c.Appends != 2 || c.Votes != 100 {
				t.Errorf("%d transactions with %d votes, want 2 with 100", c.Appends, c.Votes)
			}
			if v := w.result(id).Version; v != 3 {
				t.Errorf("version %d, want 3", v)
			}
			w.expectVotes(id, 100)
		})
	})
	t.Run("ballots share a transaction", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			ids := []oponn.BallotID{w.ballot(), w.ballot(), w.ballot()}
			release := w.store.Hold()
			var done sync.WaitGroup
			for _, id := range ids {
				done.Go(func() { w.cast(vote(id, "1")) })
				synctest.Wait()
			}
			release()
			done.Wait()
			if c := w.store.Counters(); c.Appends != 2 || c.Batches != 3 {
				t.Errorf("%d transactions with %d batches, want 2 with 3", c.Appends, c.Batches)
			}
		})
	})
	t.Run("votes join the batch that waits for another ballot's", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxBatch = 10 }, func(w *world) {
			first, second := w.ballot(), w.ballot()
			release := w.store.Hold()
			var done sync.WaitGroup
			done.Go(func() { w.cast(vote(first, "1")) })
			synctest.Wait() // it is being written
			for range 12 {
				done.Go(func() { w.cast(vote(second, "2")) })
				synctest.Wait()
			}
			release()
			done.Wait()
			if c := w.store.Counters(); c.Appends != 3 || c.Batches != 3 || c.Votes != 13 {
				t.Errorf("%d transactions with %d batches and %d votes, want 3 with 3 and 13", c.Appends, c.Batches, c.Votes)
			}
			if v := w.result(second).Version; v != 3 {
				t.Errorf("version %d of the second ballot, want 3: ten votes and two", v)
			}
			w.expectVotes(second, 12)
		})
	})
	t.Run("a transaction leaves the votes on many ballots to the next", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			first := w.ballot()
			many := make([]oponn.BallotID, 450)
			for i := range many {
				many[i] = w.ballot()
			}
			release := w.store.Hold()
			var done sync.WaitGroup
			done.Go(func() { w.cast(vote(first, "1")) })
			synctest.Wait() // it is being written
			for _, id := range many {
				done.Go(func() { w.cast(vote(id, "2")) })
			}
			synctest.Wait()
			release()
			done.Wait()
			if c := w.store.Counters(); c.Appends != 4 || c.Batches != 451 || c.Votes != 451 {
				t.Errorf("%d transactions with %d batches and %d votes, want 4 with 451", c.Appends, c.Batches, c.Votes)
			}
		})
	})
	t.Run("who has gone by the time of the transaction is left out of it", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			first, second := w.ballot(), w.ballot()
			release := w.store.Hold()
			var done sync.WaitGroup
			done.Go(func() { w.cast(vote(first, "1")) })
			synctest.Wait()
			for _, patience := range []time.Duration{time.Minute, time.Millisecond, time.Minute} {
				done.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					defer cancel()
					if _, err := w.Cast(ctx, vote(second, "2")); (err != nil) != (patience < time.Second) {
						t.Errorf("who has %v: %v", patience, err)
					}
				})
				synctest.Wait()
			}
			time.Sleep(time.Second) // virtual time
			release()
			done.Wait()
			if c := w.store.Counters(); c.Votes != 3 {
				t.Errorf("%d votes are written", c.Votes)
			}
			w.expectVotes(second, 2)
		})
	})
	t.Run("batches have a limit", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxBatch = 10 }, func(w *world) {
			id := w.ballot()
			for _, err := range w.castAll(id, 95) {
				if err != nil {
					t.Error(err)
				}
			}
			if c := w.store.Counters(); c.Appends < 10 {
				t.Errorf("%d transactions for 95 votes, want 10 or more", c.Appends)
			}
			w.expectVotes(id, 95)
		})
	})
}

func TestBackPressure(t *testing.T) {
	t.Run("a ballot over its limit refuses at once", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxPerBallot = 10 }, func(w *world) {
			id, other := w.ballot(), w.ballot()
			release := w.store.Hold()
			var done sync.WaitGroup
			for range 10 {
				done.Go(func() { w.cast(vote(id, "1")) })
			}
			synctest.Wait()
			begin := time.Now()
			_, err := w.Cast(context.Background(), vote(id, "1"))
			if oponn.CodeOf(err) != oponn.CodeBusy || retryAfter(err) <= 0 || time.Since(begin) != 0 {
				t.Errorf("the eleventh: %v after %s", err, time.Since(begin))
			}
			if w.result(id); time.Since(begin) != 0 {
				t.Errorf("a reader waited %s", time.Since(begin))
			}
			done.Go(func() { w.cast(vote(other, "1")) })
			synctest.Wait()
			release()
			done.Wait()
			w.expectVotes(id, 10)
			w.expectVotes(other, 1)
			w.cast(vote(id, "1")) // room again
		})
	})
	t.Run("so does the whole instance", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxInFlight = 4 }, func(w *world) {
			id, other := w.ballot(), w.ballot()
			release := w.store.Hold()
			var done sync.WaitGroup
			for range 4 {
				done.Go(func() { w.cast(vote(id, "1")) })
			}
			synctest.Wait()
			if code := w.castCode(vote(other, "1")); code != oponn.CodeBusy {
				t.Errorf("the fifth: %s", code)
			}
			release()
			done.Wait()
		})
	})
	t.Run("and so does one with too many ballots awake", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxAwake = 2 }, func(w *world) {
			a, b, c := w.ballot(), w.ballot(), w.ballot()
			w.cast(vote(a, "1"))
			w.cast(vote(b, "1"))
			if code := w.castCode(vote(c, "1")); code != oponn.CodeBusy {
				t.Errorf("the third: %s", code)
			}
			time.Sleep(3 * time.Minute) // virtual time
			w.cast(vote(c, "1"))
		})
	})
}

func TestStoreTrouble(t *testing.T) {
	t.Run("a store that fails costs a retry", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.cast(vote(id, "1"))
			w.store.FailNext(1, nil)
			c := vote(id, "1")
			if code := w.castCode(c); code != oponn.CodeStoreUnavailable {
				t.Errorf("code %s", code)
			}
			w.cast(c)
			w.expectVotes(id, 2)
		})
	})
	for _, done := range []bool{true, false} {
		t.Run(map[bool]string{true: "a lost answer to a commit", false: "a lost answer to an abort"}[done]+" is found out", func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				id := w.ballot()
				w.store.LoseNextCommit(done)
				receipt := w.cast(vote(id, "1"))
				if receipt.Version != 2 {
					t.Errorf("receipt of version %d", receipt.Version)
				}
				if s := w.result(id); s.State.Voters != 1 || s.Version != 2 {
					t.Errorf("%d voters at version %d", s.State.Voters, s.Version)
				}
				w.expectVotes(id, 1)
			})
		})
	}
	t.Run("unknown stays unknown when the store goes away after", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.store.LoseNextCommit(true)
			w.store.FailNext(0, nil)
			c := vote(id, "1")
			var done sync.WaitGroup
			done.Go(func() {
				if code := w.castCode(c); code != oponn.CodeOutcomeUnknown {
					t.Errorf("code %s", code)
				}
			})
			time.Sleep(time.Millisecond) // virtual time
			w.store.FailNext(1000, nil)
			done.Wait()
			w.store.FailNext(0, nil)
			time.Sleep(10 * time.Second) // virtual time
			w.cast(c)
			w.expectVotes(id, 1)
		})
	})
	t.Run("a deadline that passes while the store hangs is an unknown outcome", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.Deadline = time.Second }, func(w *world) {
			id := w.ballot()
			release := w.store.Hold()
			c := vote(id, "1")
			if code := w.castCode(c); code != oponn.CodeOutcomeUnknown {
				t.Errorf("code %s", code)
			}
			release()
			receipt := w.cast(c)
			if !receipt.Repeat {
				t.Error("the vote was committed in the meantime, and is accepted anew")
			}
			w.expectVotes(id, 1)
		})
	})
}
