package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/persistence/storetest"
)

// fate is what was told of a vote.
type fate struct {
	receipt oponn.Receipt
	err     error
}

// castThen casts a vote and returns where its fate is told, and how often.
func (w *world) castThen(c oponn.Cast) chan fate {
	w.t.Helper()
	fates := make(chan fate, 2)
	err := w.CastThen(context.Background(), c, func(casting oponn.Casting) {
		receipt, err := casting.Receipt()
		fates <- fate{receipt, err}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return fates
}

func metered(c *actors.Config) { c.Meter = ops.NewMetrics() }

func TestCastThen(t *testing.T) {
	t.Run("it tells what Cast returns", func(t *testing.T) {
		inWorld(t, metered, func(w *world) {
			id := w.ballot()
			c := vote(id, "1")
			told := <-w.castThen(c)
			if told.err != nil || told.receipt.VoteID != c.VoteID || told.receipt.Version != 2 {
				t.Errorf("%+v was told", told)
			}
			again := w.cast(c)
			if again.Repeat = false; again != told.receipt {
				t.Errorf("%+v was told, then returned %+v", told.receipt, again)
			}
			c.VoteID = oponn.NewVoteID()
			if told := <-w.castThen(c); oponn.CodeOf(told.err) != oponn.CodeAlreadyVoted || told.receipt != (oponn.Receipt{}) {
				t.Errorf("a second vote: %+v", told)
			}
			if told := <-w.castThen(vote(oponn.NewBallotID(), "1")); oponn.CodeOf(told.err) != oponn.CodeNotFound {
				t.Errorf("no ballot: %+v", told)
			}
			w.expectVotes(id, 1)
			w.expectRead(reads(1, "oponn_votes_total", "outcome", "accepted"), reads(1, "oponn_votes_total", "outcome", "repeated"),
				reads(1, "oponn_votes_refused_total", "code", "already_voted"), reads(1, "oponn_votes_refused_total", "code", "not_found"),
				reads(0, "oponn_requests_in_flight"))
		})
	})
	t.Run("what is not let in is not told", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { metered(c); c.MaxPerBallot = 1 }, func(w *world) {
			id := w.ballot()
			release := w.store.Hold()
			first := w.castThen(vote(id, "1"))
			synctest.Wait()
			err := w.CastThen(context.Background(), vote(id, "1"), func(oponn.Casting) { t.Error("it is told") })
			if oponn.CodeOf(err) != oponn.CodeBusy {
				t.Errorf("over the limit: %v", err)
			}
			release()
			if told := <-first; told.err != nil {
				t.Error(told.err)
			}
			w.expectRead(reads(1, "oponn_votes_refused_total", "code", "busy"))
		})
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory(), bus.NewLocal(), nil)
			w.drain()
			err := w.CastThen(context.Background(), vote(oponn.NewBallotID(), "1"), func(oponn.Casting) { t.Error("it is told") })
			if oponn.CodeOf(err) != oponn.CodeDraining {
				t.Errorf("of a system that has ended: %v", err)
			}
		})
	})
	t.Run("who is told that it took too long is told once", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.Deadline = time.Second }, func(w *world) {
			id := w.ballot()
			release := w.store.Hold()
			// The end of a context is not looked at.
			ctx, cancel := context.WithCancel(context.Background())
			fates, begin := make(chan fate, 2), time.Now()
			err := w.CastThen(ctx, vote(id, "1"), func(casting oponn.Casting) {
				receipt, err := casting.Receipt()
				fates <- fate{receipt, err}
			})
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			told := <-fates
			if oponn.CodeOf(told.err) != oponn.CodeOutcomeUnknown || time.Since(begin) != time.Second {
				t.Errorf("%+v was told after %s", told, time.Since(begin))
			}
			release()
			synctest.Wait()
			w.expectVotes(id, 1)
			if len(fates) > 0 {
				t.Errorf("then %+v was told", <-fates)
			}
		})
	})
}
