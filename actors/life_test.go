package actors_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestPassivation(t *testing.T) {
	t.Run("an idle ballot sleeps and wakes with its votes", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.cast(vote(id, "1"))
			if w.load().Awake != 1 {
				t.Fatal("not awake")
			}
			time.Sleep(3 * time.Minute) // virtual time
			if w.load().Awake != 0 {
				t.Fatal("still awake")
			}
			w.cast(vote(id, "2"))
			w.expectVotes(id, 2)
		})
	})
	t.Run("under load no vote is lost", func(t *testing.T) {
		tune := func(c *actors.Config) { c.IdleAfter = 50 * time.Millisecond }
		inWorld(t, tune, func(w *world) {
			w.store.SetLatency(3 * time.Millisecond)
			ids := []oponn.BallotID{w.ballot(), w.ballot(), w.ballot()}
			var done sync.WaitGroup
			for voter := range 300 {
				done.Go(func() {
					// Pauses around the idle time, so that votes meet ballots that
					// are just falling asleep.
					time.Sleep(time.Duration(voter%30) * time.Duration(48+rand.IntN(6)) * time.Millisecond) // virtual time
					c := vote(ids[voter%3], "1")
					if _, err := w.Cast(context.Background(), c); err != nil {
						t.Errorf("voter %d: %v", voter, err)
					}
				})
			}
			done.Wait()
			for _, id := range ids {
				w.expectVotes(id, 100)
			}
			time.Sleep(time.Second) // virtual time
			if awake := w.load().Awake; awake != 0 {
				t.Errorf("%d awake", awake)
			}
		})
	})
}

func TestRestart(t *testing.T) {
	t.Run("a panic costs one retryable error and nothing else", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			defer w.watch(id, s)()
			w.cast(vote(id, "1"))
			_, err := w.Cast(context.Background(), w.keys.crasher(id))
			if oponn.CodeOf(err) != oponn.CodeBusy || retryAfter(err) == 0 {
				t.Errorf("the crasher: %v", err)
			}
			time.Sleep(time.Second) // virtual time
			w.cast(vote(id, "1"))
			time.Sleep(time.Second) // virtual time
			if got := string(s.last().Bytes); got != "open 2" || s.ended() != "" {
				t.Errorf("the viewer sees %q, ended %q", got, s.ended())
			}
			s.rising(t)
			w.expectVotes(id, 2)
		})
	})
	t.Run("those whose votes are under way or waiting have an answer", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			release := w.store.Hold()
			flying, waiting := vote(id, "1"), vote(id, "1")
			answers := make([]error, 2)
			var done sync.WaitGroup
			done.Go(func() { _, answers[0] = w.Cast(context.Background(), flying) })
			synctest.Wait()
			done.Go(func() { _, answers[1] = w.Cast(context.Background(), waiting) })
			synctest.Wait()
			if code := w.castCode(w.keys.crasher(id)); code != oponn.CodeBusy {
				t.Errorf("the crasher: %s", code)
			}
			synctest.Wait()
			release()
			done.Wait()
			if code := oponn.CodeOf(answers[1]); code != oponn.CodeBusy {
				t.Errorf("the one who waited: %v", answers[1])
			}
			if code := oponn.CodeOf(answers[0]); code != "" && code != oponn.CodeOutcomeUnknown {
				t.Errorf("the one under way: %v", answers[0])
			}
			w.cast(flying)
			w.cast(waiting)
			w.expectVotes(id, 2)
		})
	})
	t.Run("twenty in a row put it to sleep, and it wakes again", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id, other := w.ballot(), w.ballot()
			s := &sink{}
			w.watch(id, s)
			w.cast(vote(id, "1"))
			for range 20 {
				if code := w.castCode(w.keys.crasher(id)); code != oponn.CodeBusy {
					t.Errorf("a crasher: %s", code)
				}
				w.cast(vote(other, "1"))
			}
			time.Sleep(10 * time.Second) // virtual time
			w.cast(vote(id, "1"))
			w.expectVotes(id, 2)
			w.expectVotes(other, 20)
		})
	})
	t.Run("crashes amid a load lose and double nothing", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			w.store.SetLatency(2 * time.Millisecond)
			id := w.ballot()
			s := &sink{}
			defer w.watch(id, s)()
			var done sync.WaitGroup
			for voter := range 200 {
				done.Go(func() {
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond) // virtual time
					if voter%20 == 0 {
						_ = w.castCode(w.keys.crasher(id))
						return
					}
					c := vote(id, "1")
					for attempt := 0; ; attempt++ {
						_, err := w.Cast(context.Background(), c)
						if err == nil {
							return
						}
						if code := oponn.CodeOf(err); attempt > 20 || code != oponn.CodeBusy && code != oponn.CodeOutcomeUnknown {
							t.Errorf("voter %d: %v", voter, err)
							return
						}
						time.Sleep(100 * time.Millisecond) // virtual time
					}
				})
			}
			done.Wait()
			w.expectVotes(id, 190)
			time.Sleep(2 * time.Second) // virtual time
			s.rising(t)
			if got := string(s.last().Bytes); got != "open 190" && s.ended() == "" {
				t.Errorf("the viewer sees %q", got)
			}
		})
	})
}

func TestDrain(t *testing.T) {
	t.Run("what has come is answered, what comes is refused, streams end", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			w.watch(id, s)
			release := w.store.Hold()
			var done sync.WaitGroup
			for range 10 {
				done.Go(func() { w.cast(vote(id, "1")) })
			}
			synctest.Wait()
			drained := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				drained <- w.Drain(ctx)
			}()
			synctest.Wait()
			if code := w.castCode(vote(id, "1")); code != oponn.CodeDraining {
				t.Errorf("a vote while draining: %s", code)
			}
			if _, err := w.Watch(context.Background(), id, oponn.Viewer{Group: counts, Sink: &sink{}}); oponn.CodeOf(err) != oponn.CodeDraining {
				t.Errorf("a viewer while draining: %v", err)
			}
			if s.ended() != oponn.EndDraining {
				t.Errorf("the stream ended %q", s.ended())
			}
			select {
			case err := <-drained:
				t.Errorf("drained before the votes were answered: %v", err)
			default:
			}
			release()
			done.Wait()
			if err := <-drained; err != nil {
				t.Error(err)
			}
			again := newWorld(t, w.store, w.bus, nil)
			again.expectVotes(id, 10)
			w.System = again.System // for the drain at the end
		})
	})
	t.Run("it ends when its context does", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory(), bus.NewLocal(), nil)
			id := w.ballot()
			release := w.store.Hold()
			go func() { _ = w.castCode(vote(id, "1")) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			begin := time.Now()
			if err := w.Drain(ctx); err == nil || time.Since(begin) > 2*time.Second {
				t.Errorf("%v after %s", err, time.Since(begin))
			}
			release()
			time.Sleep(time.Minute) // virtual time
		})
	})
}

// twoInstances runs a test with two systems on one store, on one bus or on a
// bus each.
func twoInstances(t *testing.T, connected bool, test func(a, b *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, first := storetest.NewMemory(), bus.NewLocal()
		second := bus.NewLocal()
		if connected {
			second = first.Join()
		}
		a, b := newWorld(t, store, first, nil), newWorld(t, store.Sibling(), second, nil)
		test(a, b)
		a.drain()
		b.drain()
	})
}

func TestTwoInstances(t *testing.T) {
	for _, connected := range []bool{true, false} {
		within := map[bool]time.Duration{true: 150 * time.Millisecond, false: 2 * time.Second}[connected]
		name := map[bool]string{true: "a viewer elsewhere sees a vote at once", false: "and heals from the store without a bus"}[connected]
		t.Run(name, func(t *testing.T) {
			twoInstances(t, connected, func(a, b *world) {
				id := a.ballot()
				s := &sink{}
				leave := b.watch(id, s)
				for n := 1; n <= 5; n++ {
					time.Sleep(1300 * time.Millisecond) // virtual time
					c := vote(id, "")
					c.Choices, c.WriteIn = nil, "another "+string(rune('a'+n))
					a.cast(c)
					time.Sleep(within) // virtual time
					if got := string(s.last().Bytes); got != "open "+string(rune('0'+n)) {
						t.Errorf("after vote %d: %q", n, got)
					}
				}
				s.rising(t)
				if results := b.result(id).Results(); len(results) != 7 {
					t.Errorf("%d options, want 7", len(results))
				}
				leave()
			})
		})
	}
	t.Run("who has seen a version sees no older one elsewhere", func(t *testing.T) {
		twoInstances(t, false, func(a, b *world) {
			id := a.ballot()
			b.result(id)
			receipt := a.cast(vote(id, "1"))
			snapshot, err := b.Result(context.Background(), id, receipt.Version)
			if err != nil || snapshot.Version < receipt.Version {
				t.Errorf("version %d after %d, %v", snapshot.Version, receipt.Version, err)
			}
			if snapshot, err = b.Result(context.Background(), id, 1<<40); err != nil || snapshot.Version != 2 {
				t.Errorf("after a version that isn't: %d, %v", snapshot.Version, err)
			}
		})
	})
	t.Run("one voter at both is counted once", func(t *testing.T) {
		twoInstances(t, true, func(a, b *world) {
			id := a.ballot()
			for range 100 {
				one, two := vote(id, "1"), vote(id, "2")
				two.Voter = one.Voter
				var codes [2]oponn.Code
				var done sync.WaitGroup
				done.Go(func() { codes[0] = a.castCode(one) })
				done.Go(func() { codes[1] = b.castCode(two) })
				done.Wait()
				if (codes[0] == "") == (codes[1] == "") {
					t.Errorf("answers %q and %q", codes[0], codes[1])
				}
			}
			time.Sleep(3 * time.Second) // virtual time
			a.expectVotes(id, 100)
			b.expectVotes(id, 100)
		})
	})
	t.Run("closing is done once and seen by all", func(t *testing.T) {
		twoInstances(t, true, func(a, b *world) {
			id := a.ballot(oponn.Window{ClosesAt: time.Now().Add(time.Minute)})
			one, two := &sink{}, &sink{}
			a.watch(id, one)
			b.watch(id, two)
			time.Sleep(62 * time.Second) // virtual time
			if one.ended() != oponn.EndClosed || two.ended() != oponn.EndClosed {
				t.Errorf("ended %q and %q", one.ended(), two.ended())
			}
			if v := a.result(id).Version; v != 2 {
				t.Errorf("version %d, want 2", v)
			}
		})
	})
}
