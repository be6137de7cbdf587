package actors_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestWatch(t *testing.T) {
	t.Run("a viewer sees the state at once and every vote soon", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			defer w.watch(id, s)()
			synctest.Wait()
			if got := string(s.last().Bytes); got != "open 0" {
				t.Fatalf("first frame %q", got)
			}
			for n := 1; n <= 3; n++ {
				time.Sleep(time.Second) // virtual time
				w.cast(vote(id, "1"))
				synctest.Wait()
				if got := string(s.last().Bytes); got != fmt.Sprintf("open %d", n) {
					t.Errorf("after vote %d: %q", n, got)
				}
			}
			s.rising(t)
		})
	})
	t.Run("many votes make few frames", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			defer w.watch(id, s)()
			begin := time.Now()
			for range 100 {
				w.cast(vote(id, "1"))
				time.Sleep(10 * time.Millisecond) // virtual time
			}
			time.Sleep(time.Second) // virtual time
			if got := string(s.last().Bytes); got != "open 100" {
				t.Errorf("last frame %q", got)
			}
			if n := s.count(); n < 9 || n > 12 {
				t.Errorf("%d frames for 100 votes in %s", n, time.Since(begin))
			}
			s.rising(t)
		})
	})
	t.Run("frames that follow each other at once say so", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.FrameInterval = time.Millisecond }, func(w *world) {
			id := w.ballot()
			s := &sink{}
			defer w.watch(id, s)()
			synctest.Wait()
			for i, step := range []struct {
				wait time.Duration
				soon bool
			}{
				{time.Second, false}, {19 * time.Millisecond, true}, {5 * time.Millisecond, true}, {39 * time.Millisecond, true},
				{40 * time.Millisecond, false}, {30 * time.Millisecond, false}, {10 * time.Millisecond, true}, {time.Second, false},
			} {
				time.Sleep(step.wait) // virtual time
				w.cast(vote(id, "1"))
				synctest.Wait()
				if last := s.last(); last.Version != uint64(i+2) || last.Soon != step.soon {
					t.Errorf("frame %d, after %v: version %d, soon %v", i, step.wait, last.Version, last.Soon)
				}
			}
		})
	})
	t.Run("a frame is rendered once for a group", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			rendered := 0
			sinks := make([]*sink, 20)
			group := &oponn.Group{Name: "one", Render: func(s oponn.Snapshot) ([]byte, int) { rendered++; return render(s), 0 }}
			for i := range sinks {
				sinks[i] = &sink{}
				stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: group, Sink: sinks[i]})
				if err != nil {
					t.Fatal(err)
				}
				defer sinks[i].leave(stream)()
			}
			time.Sleep(time.Second) // virtual time
			w.cast(vote(id, "1"))
			synctest.Wait()
			if rendered != 2 {
				t.Errorf("rendered %d times for two versions", rendered)
			}
			if &sinks[0].last().Bytes[0] != &sinks[19].last().Bytes[0] {
				t.Error("two viewers have different bytes")
			}
		})
	})
	t.Run("a viewer gets nothing it has seen", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.cast(vote(id, "1"))
			s := &sink{}
			stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: counts, After: 2, Sink: s})
			if err != nil {
				t.Fatal(err)
			}
			defer s.leave(stream)()
			synctest.Wait()
			if n := s.count(); n != 0 {
				t.Errorf("%d frames", n)
			}
			w.cast(vote(id, "1"))
			time.Sleep(time.Second) // virtual time
			if v := s.last().Version; v != 3 {
				t.Errorf("version %d, want 3", v)
			}
		})
	})
	t.Run("signs of life come all the time", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			s := &sink{}
			defer w.watch(w.ballot(), s)()
			time.Sleep(2 * time.Minute) // virtual time
			if s.mu.Lock(); s.beats < 7 || s.beats > 9 {
				t.Errorf("%d beats in two minutes", s.beats)
			}
			s.mu.Unlock()
		})
	})
	t.Run("unknown ballots have no streams", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			_, err := w.Watch(context.Background(), oponn.NewBallotID(), oponn.Viewer{Group: counts, Sink: &sink{}})
			if oponn.CodeOf(err) != oponn.CodeNotFound {
				t.Errorf("error %v", err)
			}
			synctest.Wait()
			if load := w.load(); load.Streams != 0 || load.Awake != 0 {
				t.Errorf("left behind: %+v", load)
			}
		})
	})
	t.Run("there is a limit", func(t *testing.T) {
		inWorld(t, func(c *actors.Config) { c.MaxStreams = 2 }, func(w *world) {
			id := w.ballot()
			leave := w.watch(id, &sink{})
			w.watch(id, &sink{})
			_, err := w.Watch(context.Background(), id, oponn.Viewer{Group: counts, Sink: &sink{}})
			if oponn.CodeOf(err) != oponn.CodeBusy {
				t.Errorf("the third: %v", err)
			}
			leave()
			synctest.Wait()
			w.watch(id, &sink{})
		})
	})
}

func TestReaper(t *testing.T) {
	t.Run("a viewer who takes nothing is ended, and costs the others nothing", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			slow, quick := &sink{stuck: true}, &sink{}
			w.watch(id, slow)
			leave := w.watch(id, quick)
			begin := time.Now()
			for range 30 {
				w.cast(vote(id, "1"))
				time.Sleep(time.Second) // virtual time
			}
			if slow.ended() != oponn.EndLagging {
				t.Errorf("the slow one ended %q", slow.ended())
			}
			if after := slow.endAt.Sub(begin); after < 10*time.Second || after > 16*time.Second {
				t.Errorf("after %s", after)
			}
			if got := string(quick.last().Bytes); got != "open 30" {
				t.Errorf("the quick one sees %q", got)
			}
			leave()
			time.Sleep(5 * time.Minute) // virtual time
			if load := w.load(); load != (actors.Load{}) {
				t.Errorf("left behind: %+v", load)
			}
		})
	})
	t.Run("a viewer who has left is forgotten, also in the middle of joining", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			for range 50 {
				leave := w.watch(id, &sink{})
				leave()
				leave()
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := w.Watch(ctx, id, oponn.Viewer{Group: counts, Sink: &sink{}}); err == nil {
				t.Error("a viewer who was gone before was let in")
			}
			synctest.Wait()
			if load := w.load(); load.Streams != 0 {
				t.Errorf("%d streams", load.Streams)
			}
			time.Sleep(3 * time.Minute) // virtual time
			if load := w.load(); load.Awake != 0 {
				t.Error("the ballot is kept awake by viewers who left")
			}
		})
	})
	t.Run("a watched ballot stays awake", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			leave := w.watch(id, s)
			time.Sleep(time.Hour) // virtual time
			if load := w.load(); load.Awake != 1 || load.Streams != 1 || s.ended() != "" {
				t.Errorf("after an hour: %+v, %q", load, s.ended())
			}
			leave()
		})
	})
}

func TestClosing(t *testing.T) {
	t.Run("viewers see it at its time, and then their streams end", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			begin := time.Now()
			id := w.ballot(oponn.Window{ClosesAt: begin.Add(time.Hour)})
			s := &sink{}
			w.watch(id, s)
			w.cast(vote(id, "1"))
			time.Sleep(59 * time.Minute) // virtual time
			if s.ended() != "" {
				t.Fatal("ended early")
			}
			time.Sleep(61 * time.Second) // virtual time
			if got := string(s.last().Bytes); got != "closed 1" || !s.last().Last || s.ended() != oponn.EndClosed {
				t.Errorf("last frame %q, ended %q", got, s.ended())
			}
			if late := s.endAt.Sub(begin) - time.Hour; late < 0 || late > 200*time.Millisecond {
				t.Errorf("%s late", late)
			}
			if code := w.castCode(vote(id, "1")); code != oponn.CodeClosed {
				t.Errorf("a vote after: %s", code)
			}
			w.expectVotes(id, 1)
		})
	})
	t.Run("a ballot that slept over it wakes up closed", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot(oponn.Window{ClosesAt: time.Now().Add(time.Hour)})
			c := vote(id, "1")
			w.cast(c)
			time.Sleep(2 * time.Hour) // virtual time
			if w.load().Awake != 0 {
				t.Fatal("it did not sleep")
			}
			if code := w.castCode(vote(id, "1")); code != oponn.CodeClosed {
				t.Errorf("a vote after: %s", code)
			}
			if again := w.cast(c); !again.Repeat {
				t.Error("a repeat after closing is not a repeat")
			}
			if s := w.result(id); s.State.Status != oponn.Closed || s.State.Voters != 1 {
				t.Errorf("%+v", s.State)
			}
		})
	})
	t.Run("a scheduled ballot opens and closes", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			now := time.Now()
			id := w.ballot(oponn.Window{OpensAt: now.Add(time.Minute), ClosesAt: now.Add(2 * time.Minute)})
			s := &sink{}
			w.watch(id, s)
			if code := w.castCode(vote(id, "1")); code != oponn.CodeNotOpen {
				t.Errorf("before: %s", code)
			}
			time.Sleep(61 * time.Second) // virtual time
			if got := string(s.last().Bytes); got != "open 0" {
				t.Errorf("frame %q", got)
			}
			w.cast(vote(id, "1"))
			time.Sleep(time.Minute) // virtual time
			if got := string(s.last().Bytes); got != "closed 1" {
				t.Errorf("frame %q", got)
			}
		})
	})
	t.Run("the owner may close at once, and twice", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			s := &sink{}
			w.watch(id, s)
			for range 2 {
				snapshot, err := w.Change(context.Background(), id, oponn.Change{Status: oponn.Closed})
				if err != nil || snapshot.State.Status != oponn.Closed || snapshot.Version != 2 {
					t.Errorf("%+v, %v", snapshot.State, err)
				}
			}
			time.Sleep(time.Second) // virtual time
			if s.ended() != oponn.EndClosed {
				t.Errorf("the stream ended %q", s.ended())
			}
			late := &sink{}
			w.watch(id, late)
			synctest.Wait()
			if got := string(late.last().Bytes); got != "closed 0" || late.ended() != oponn.EndClosed {
				t.Errorf("a late viewer sees %q, ended %q", got, late.ended())
			}
		})
	})
	t.Run("whoever stays sees it opened again", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot(oponn.Window{ClosesAt: time.Now().Add(time.Minute)})
			staying, leaving := &sink{}, &sink{}
			stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: counts, Sink: staying, Stays: true})
			if err != nil {
				t.Fatal(err)
			}
			defer staying.leave(stream)()
			w.watch(id, leaving)
			time.Sleep(2 * time.Minute) // virtual time
			if got := string(staying.last().Bytes); got != "closed 0" || staying.ended() != "" || leaving.ended() != oponn.EndClosed {
				t.Errorf("one who stays sees %q and ended %q, another ended %q", got, staying.ended(), leaving.ended())
			}
			time.Sleep(time.Hour) // virtual time; nobody puts a ballot to sleep that is watched
			if _, err := w.Change(context.Background(), id, oponn.Change{Status: oponn.Open}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // virtual time
			if got := string(staying.last().Bytes); got != "open 0" {
				t.Errorf("after the reopening one sees %q", got)
			}
		})
	})
	t.Run("a closing that fails is tried again", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot(oponn.Window{ClosesAt: time.Now().Add(time.Minute)})
			s := &sink{}
			w.watch(id, s)
			w.store.FailNext(3, nil)
			time.Sleep(70 * time.Second) // virtual time
			if s.ended() != oponn.EndClosed {
				t.Errorf("ended %q, last frame %q", s.ended(), s.last().Bytes)
			}
		})
	})
}

// TestDrain_StreamsEndByAndBy has viewers of several ballots leave: a few at
// once, many spread over some seconds, and each of them told.
func TestDrain_StreamsEndByAndBy(t *testing.T) {
	for viewers, most := range map[int]time.Duration{50: 0, 1000: 500 * time.Millisecond, 9000: 3 * time.Second} {
		t.Run(fmt.Sprint(viewers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, storetest.NewMemory(), bus.NewLocal(), nil)
				ids := []oponn.BallotID{w.ballot(), w.ballot()}
				sinks := make([]*sink, viewers)
				for i := range sinks {
					sinks[i] = &sink{}
					w.watch(ids[i%2], sinks[i])
				}
				begin := time.Now()
				w.drain()
				at := make(map[time.Duration]int)
				var last time.Duration
				for _, s := range sinks {
					if s.ended() != oponn.EndDraining {
						t.Fatalf("a stream ended with %q", s.ended())
					}
					at[s.endAt.Sub(begin)]++
					last = max(last, s.endAt.Sub(begin))
				}
				if last > most || last < most*4/5 {
					t.Errorf("the last of %d ended after %v, want about %v", viewers, last, most)
				}
				for moment, n := range at {
					if n > max(100, viewers/50) {
						t.Errorf("%d of %d ended in one instant, after %v", n, viewers, moment)
					}
				}
			})
		})
	}
}
