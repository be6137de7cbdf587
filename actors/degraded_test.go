package actors_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
)

// telling is viewers whose frames say how often they come.
var telling = &oponn.Group{Name: "telling", Render: func(s oponn.Snapshot) ([]byte, int) {
	return fmt.Appendf(nil, "%d every %s", s.State.Voters, s.Every), 0
}}

func TestSlowCommitsWidenFrames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.ballot()
		s := &sink{}
		stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: telling, Sink: s})
		if err != nil {
			t.Fatal(err)
		}
		defer s.leave(stream)()
		// crowd casts n votes, one every 50 ms, and returns the answers.
		var cast sync.WaitGroup
		votes, acknowledged := 0, make(chan oponn.Receipt, 10_000)
		crowd := func(n int) {
			for range n {
				votes++
				cast.Go(func() {
					receipt, err := w.Cast(context.Background(), vote(id, "1"))
					if err != nil {
						t.Errorf("Cast: %v", err)
					}
					acknowledged <- receipt
				})
				time.Sleep(50 * time.Millisecond) // virtual time
			}
		}
		gaps := func(from int) (least, most time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			least = time.Hour
			for i := max(from, 1); i < len(s.at); i++ {
				least, most = min(least, s.at[i].Sub(s.at[i-1])), max(most, s.at[i].Sub(s.at[i-1]))
			}
			return least, most
		}

		crowd(40)
		if text := string(s.last().Bytes); !strings.HasSuffix(text, "every 0s") {
			t.Errorf("when all is well: %q", text)
		}
		if _, most := gaps(2); most > 150*time.Millisecond {
			t.Errorf("when all is well frames are %v apart", most)
		}

		w.store.SetLatency(1600 * time.Millisecond)
		crowd(100)
		before := s.count()
		crowd(200)
		if text := string(s.last().Bytes); !strings.HasSuffix(text, "every 2s") {
			t.Errorf("with slow commits: %q", text)
		}
		if least, most := gaps(before); least < 1500*time.Millisecond || most > 4*time.Second {
			t.Errorf("with slow commits frames are between %v and %v apart", least, most)
		}

		w.store.SetLatency(0)
		crowd(400)
		if text := string(s.last().Bytes); !strings.HasSuffix(text, "every 0s") {
			t.Errorf("when it is over: %q", text)
		}
		before = s.count()
		crowd(40)
		if _, most := gaps(before + 1); most > 150*time.Millisecond {
			t.Errorf("when it is over frames are %v apart", most)
		}
		cast.Wait()
		if len(acknowledged) != votes {
			t.Errorf("%d of %d votes were acknowledged", len(acknowledged), votes)
		}
		s.rising(t)
		w.expectVotes(id, votes)
	})
}

// TestSlowFanOutWidensFrames has rendering, which is part of fanning out, take
// longer than viewers are patient.
func TestSlowFanOutWidensFrames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.ballot()
		s := &sink{}
		var takes time.Duration
		group := &oponn.Group{Name: "slow", Render: func(s oponn.Snapshot) ([]byte, int) {
			time.Sleep(takes) // virtual time
			return fmt.Appendf(nil, "%d every %s", s.State.Voters, s.Every), 0
		}}
		stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: group, Sink: s})
		if err != nil {
			t.Fatal(err)
		}
		defer s.leave(stream)()
		synctest.Wait()
		takes = 5 * time.Second
		for range 200 {
			w.cast(vote(id, "1"))
			time.Sleep(100 * time.Millisecond) // virtual time
		}
		time.Sleep(20 * time.Second) // virtual time
		if text := string(s.last().Bytes); text != "200 every 2s" {
			t.Errorf("the last frame is %q", text)
		}
	})
}

// TestFramesFollowWithoutPause has one fan-out take long while hardly anybody
// votes: the frames after it are as close to each other as ever.
func TestFramesFollowWithoutPause(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.ballot()
		s := &sink{}
		var takes atomic.Int64
		group := &oponn.Group{Name: "slow once", Render: func(s oponn.Snapshot) ([]byte, int) {
			time.Sleep(time.Duration(takes.Load())) // virtual time
			return fmt.Append(nil, s.State.Voters), 0
		}}
		stream, err := w.Watch(context.Background(), id, oponn.Viewer{Group: group, Sink: s})
		if err != nil {
			t.Fatal(err)
		}
		defer s.leave(stream)()
		synctest.Wait()
		takes.Store(int64(2 * time.Second))
		w.cast(vote(id, "1"))
		time.Sleep(3 * time.Second) // virtual time
		takes.Store(0)
		before := s.count()
		for range 10 {
			w.cast(vote(id, "1"))
			time.Sleep(200 * time.Millisecond) // virtual time
		}
		if n := s.count() - before; n != 10 {
			t.Errorf("%d frames of 10 votes", n)
		}
	})
}

// TestRefusedVotesAreNotAccepted has more votes come than may wait: each is
// either counted or refused at once, and none that was refused is counted.
func TestRefusedVotesAreNotAccepted(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxPerBallot = 50 }, func(w *world) {
		id := w.ballot()
		w.store.SetLatency(time.Second)
		counted, refused := 0, 0
		for _, err := range w.castAll(id, 200) {
			switch {
			case err == nil:
				counted++
			case oponn.CodeOf(err) == oponn.CodeBusy && retryAfter(err) > 0:
				refused++
			default:
				t.Errorf("neither counted nor refused: %v", err)
			}
		}
		if counted != 50 || refused != 150 {
			t.Errorf("%d counted and %d refused, want 50 and 150", counted, refused)
		}
		w.expectVotes(id, counted)
	})
}

func TestFailing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.ballot()
		w.cast(vote(id, "1"))
		if _, err := w.Failing(); err != nil {
			t.Errorf("when all is well: %v", err)
		}
		w.store.FailNext(3, oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, nil, "The disk is full."))
		began := time.Now()
		for range 3 {
			if code := w.castCode(vote(id, "1")); code != oponn.CodeStoreUnavailable {
				t.Errorf("code %s", code)
			}
			time.Sleep(4 * time.Second) // virtual time
		}
		if since, err := w.Failing(); oponn.CodeOf(err) != oponn.CodeStoreUnavailable || since.Sub(began) > time.Second {
			t.Errorf("since %v: %v", since.Sub(began), err)
		}
		time.Sleep(7 * time.Second) // virtual time
		if _, err := w.Failing(); err != nil {
			t.Errorf("long after the last attempt, when another may work: %v", err)
		}
		w.cast(vote(id, "1"))
		if _, err := w.Failing(); err != nil {
			t.Errorf("when it is over: %v", err)
		}
	})
}
