package actors_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
)

func (w *world) inspect(hottest int) actors.Inspection {
	w.t.Helper()
	return w.Inspect(context.Background(), hottest)
}

func (w *world) look(id oponn.BallotID) actors.BallotInspection {
	w.t.Helper()
	return w.InspectBallot(context.Background(), id)
}

func (w *world) sleep(id oponn.BallotID) bool {
	w.t.Helper()
	asleep, err := w.Sleep(context.Background(), id)
	if err != nil {
		w.t.Errorf("Sleep: %v", err)
	}
	return asleep
}

func TestInspect(t *testing.T) {
	t.Run("the tree, and the hottest ballots first", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.Writers = 2 }, func(w *world) {
			w.store.SetLatency(4 * time.Millisecond)
			ids := []oponn.BallotID{w.ballot(), w.ballot(), w.ballot(), w.ballot()}
			for n, id := range ids {
				w.result(id)
				w.castAll(id, n*10)
			}
			defer w.watch(ids[0], &sink{})()
			defer w.watch(ids[0], &sink{})()
			time.Sleep(time.Second) // virtual time
			seen := w.inspect(3)
			if seen.Committed != 60 || seen.Awake != 4 || seen.Streams != 2 || len(seen.Writers) != 2 || seen.Relay.Followed != 1 {
				t.Errorf("%+v", seen)
			}
			if len(seen.Hottest) != 3 || seen.Hottest[0].Ballot != ids[3] || seen.Hottest[1].Ballot != ids[2] || seen.Hottest[2].Ballot != ids[1] {
				t.Errorf("the hottest are %+v", seen.Hottest)
			}
			if hot := seen.Hottest[0]; hot.Batch == 0 || hot.Commit < 4*time.Millisecond || hot.Rate <= seen.Hottest[1].Rate {
				t.Errorf("the hottest is %+v", hot)
			}
			if seen.Votes <= 0 || seen.Writers[0].Votes+seen.Writers[1].Votes <= 0 || seen.Registry.Silent || seen.Relay.Silent {
				t.Errorf("%+v", seen)
			}
			time.Sleep(time.Minute) // virtual time
			if hot := w.inspect(9).Hottest[0]; hot.Ballot != ids[0] || hot.Viewers != 2 {
				t.Errorf("when votes are over the hottest is %+v", hot)
			}
		})
	})
	t.Run("what hangs is seen", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.result(id)
			release := w.store.Hold()
			var done sync.WaitGroup
			for range 3 {
				done.Go(func() { w.cast(vote(id, "1")) })
				synctest.Wait()
			}
			time.Sleep(time.Second) // virtual time
			seen := w.look(id)
			if seen.State != actors.StateAwake || seen.InFlight != 1 || seen.Gathering != 2 || time.Since(seen.InFlightSince) != time.Second {
				t.Errorf("%+v", seen)
			}
			if all := w.inspect(1); !all.Writers[0].Writing || all.Waiting != 3 {
				t.Errorf("%+v", all)
			}
			release()
			done.Wait()
		})
	})
	t.Run("looking neither wakes nor keeps awake", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			if seen := w.look(id); seen.State != actors.StateAsleep || w.load().Awake != 0 {
				t.Errorf("%+v", seen)
			}
			w.result(id)
			for range 4 * 60 {
				w.look(id)
				time.Sleep(time.Second) // virtual time
			}
			if w.load().Awake != 0 {
				t.Error("it is kept awake by being looked at")
			}
		})
	})
	t.Run("a ballot's last error and its viewers", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			leave := w.watch(id, &sink{})
			w.store.FailNext(1, errors.New("the disk is full"))
			if code := w.castCode(vote(id, "1")); code == "" {
				t.Error("the vote was taken")
			}
			synctest.Wait()
			seen := w.look(id)
			if seen.Err != "the disk is full" || seen.ErrAt.IsZero() || seen.Viewers != 1 || len(seen.Groups) != 1 || seen.Groups[0].Viewers != 1 {
				t.Errorf("%+v", seen)
			}
			leave()
		})
	})
	t.Run("nobody answers once all has ended", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			before := w.System
			w.drain()
			if seen := before.Inspect(context.Background(), 1); !seen.Registry.Silent || !seen.Writers[0].Silent || !seen.Draining {
				t.Errorf("%+v", seen)
			}
			w.System = newWorld(t, w.store, w.bus, nil).System // for the drain at the end
		})
	})
}

func TestSleep(t *testing.T) {
	t.Run("at once, and it wakes with its votes", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.cast(vote(id, "1"))
			if !w.sleep(id) || w.load().Awake != 0 {
				t.Error("it is awake")
			}
			if !w.sleep(id) {
				t.Error("one that sleeps is not asleep")
			}
			if err := w.Wake(context.Background(), id); err != nil || w.load().Awake != 1 {
				t.Errorf("woken: %v, awake %d", err, w.load().Awake)
			}
			w.cast(vote(id, "1"))
			w.expectVotes(id, 2)
		})
	})
	t.Run("one that somebody watches stays awake", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			leave := w.watch(id, s)
			if w.sleep(id) {
				t.Error("it sleeps")
			}
			w.cast(vote(id, "1"))
			time.Sleep(time.Second) // virtual time
			if got := string(s.last().Bytes); got != "open 1" || s.ended() != "" {
				t.Errorf("the viewer sees %q, ended %q", got, s.ended())
			}
			leave()
		})
	})
	t.Run("one with votes under way stays awake", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.result(id)
			release := w.store.Hold()
			var done sync.WaitGroup
			for range 2 {
				done.Go(func() { w.cast(vote(id, "1")) })
				synctest.Wait()
			}
			if w.sleep(id) {
				t.Error("it sleeps")
			}
			release()
			done.Wait()
			w.expectVotes(id, 2)
		})
	})
	t.Run("amid a load no vote is lost", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			w.store.SetLatency(2 * time.Millisecond)
			id := w.ballot()
			stop := make(chan struct{})
			var operator, voters sync.WaitGroup
			slept := 0
			operator.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
					}
					if w.sleep(id) {
						slept++
					}
				}
			})
			for voter := range 300 {
				voters.Go(func() {
					time.Sleep(time.Duration(voter/3) * 7 * time.Millisecond) // virtual time
					w.cast(vote(id, "1"))
				})
			}
			voters.Wait()
			close(stop)
			operator.Wait()
			if slept == 0 {
				t.Error("it never slept")
			}
			w.expectVotes(id, 300)
		})
	})
	t.Run("a ballot that isn't there is not woken", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			if err := w.Wake(context.Background(), oponn.NewBallotID()); oponn.CodeOf(err) != oponn.CodeNotFound {
				t.Errorf("%v", err)
			}
		})
	})
}
