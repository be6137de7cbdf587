package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/persistence/storetest"
)

// change changes a ballot and wants it done.
func (w *world) change(ballot oponn.BallotID, change oponn.Change) oponn.Snapshot {
	w.t.Helper()
	snapshot, err := w.Change(context.Background(), ballot, change)
	if err != nil {
		w.t.Fatalf("Change: %v", err)
	}
	return snapshot
}

// ruled opens a ballot with rules.
func (w *world) ruled(rules oponn.Rules) oponn.BallotID {
	w.t.Helper()
	draft := oponn.Draft{Question: "Tabs or spaces?", Options: []string{"tabs", "spaces"}, AllowWriteIn: true, Rules: rules}
	created, err := w.Create(context.Background(), draft, oponn.OwnerID{})
	if err != nil {
		w.t.Fatal(err)
	}
	return created.Snapshot.Ballot.ID
}

// elsewhere runs a test with two instances, with a bus between them and
// without, and says how soon one knows of the other.
func elsewhere(t *testing.T, name string, test func(t *testing.T, a, b *world, within time.Duration)) {
	for _, connected := range []bool{true, false} {
		within := map[bool]time.Duration{true: 200 * time.Millisecond, false: 2 * time.Second}[connected]
		t.Run(map[bool]string{true: name + ", by the bus", false: name + ", without a bus"}[connected], func(t *testing.T) {
			twoInstances(t, connected, func(a, b *world) { test(t, a, b, within) })
		})
	}
}

// tardy is a store that says late what it has done.
type tardy struct{ oponn.Store }

func (s tardy) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	defer time.Sleep(3 * time.Second) // virtual time
	return s.Store.Append(ctx, batches)
}

// TestDeletion_FoundOutBefore has the sweep find a ballot gone before whoever
// deletes it is told so.
func TestDeletion_FoundOutBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.NewMemory(), bus.NewLocal(), func(c *actors.Config) { c.Store = tardy{c.Store} })
		id, viewer := w.ballot(), &sink{}
		w.watch(id, viewer)
		w.change(id, oponn.Change{Delete: true})
		if viewer.ended() != oponn.EndGone {
			t.Errorf("the viewer's stream ended %q", viewer.ended())
		}
		w.drain()
	})
}

func TestDeletion(t *testing.T) {
	elsewhere(t, "streams end everywhere", func(t *testing.T, a, b *world, within time.Duration) {
		id := a.ballot()
		one, two := &sink{}, &sink{}
		a.watch(id, one)
		b.watch(id, two)
		repeated := vote(id, "1")
		a.cast(repeated)
		time.Sleep(3 * time.Second) // virtual time
		a.change(id, oponn.Change{Delete: true})
		if code := a.castCode(vote(id, "1")); code != oponn.CodeGone {
			t.Errorf("a vote here is %q", code)
		}
		if code := b.castCode(repeated); code != oponn.CodeGone {
			t.Errorf("a repeat elsewhere is %q", code)
		}
		time.Sleep(within) // virtual time
		if one.ended() != oponn.EndGone || two.ended() != oponn.EndGone {
			t.Errorf("ended %q and %q", one.ended(), two.ended())
		}
		for _, w := range []*world{a, b} {
			_, result := w.Result(context.Background(), id, 0)
			_, voted := w.Voted(context.Background(), id, repeated.Voter)
			_, codes := w.NewCodes(context.Background(), id, 1)
			_, changed := w.Change(context.Background(), id, oponn.Change{Delete: true})
			_, watched := w.Watch(context.Background(), id, oponn.Viewer{Group: counts, Sink: &sink{}})
			for what, err := range map[string]error{"result": result, "voted": voted, "codes": codes, "change": changed, "watch": watched} {
				if oponn.CodeOf(err) != oponn.CodeGone {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		time.Sleep(time.Minute) // virtual time
		if a.load() != (b.load()) || a.load().Awake != 0 {
			t.Errorf("awake are %+v and %+v", a.load(), b.load())
		}
	})
	elsewhere(t, "viewers learn of what was deleted by hand", func(t *testing.T, a, b *world, _ time.Duration) {
		id := a.ballot()
		one, two := &sink{}, &sink{}
		a.watch(id, one)
		b.watch(id, two)
		a.store.Append(context.Background(), []oponn.Batch{oponn.Burying(id)})
		time.Sleep(2 * time.Second) // virtual time
		if one.ended() != oponn.EndGone || two.ended() != oponn.EndGone {
			t.Errorf("ended %q and %q", one.ended(), two.ended())
		}
	})
	for _, committed := range []bool{true, false} {
		t.Run(map[bool]string{true: "a lost answer, committed", false: "a lost answer, not committed"}[committed], func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				id := w.ballot()
				w.result(id)
				w.store.LoseNextCommit(committed)
				w.change(id, oponn.Change{Delete: true})
				if _, err := w.Result(context.Background(), id, 0); oponn.CodeOf(err) != oponn.CodeGone {
					t.Errorf("result: %v", err)
				}
			})
		})
	}
	t.Run("votes amid it are counted or gone", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.store.SetLatency(3 * time.Millisecond)
			errs := make(chan []error, 1)
			go func() { errs <- w.castAll(id, 50) }()
			time.Sleep(4 * time.Millisecond) // virtual time
			w.change(id, oponn.Change{Delete: true})
			for _, err := range <-errs {
				if code := oponn.CodeOf(err); code != "" && code != oponn.CodeGone {
					t.Errorf("answered %v", err)
				}
			}
		})
	})
}

func TestEditing(t *testing.T) {
	elsewhere(t, "a new question is asked everywhere", func(t *testing.T, a, b *world, within time.Duration) {
		id := a.ballot()
		s := &sink{}
		b.watch(id, s)
		time.Sleep(time.Second) // virtual time: the bus knows
		question := "Spaces?"
		a.change(id, oponn.Change{Question: &question, Options: []string{"spaces", "neither"}})
		time.Sleep(within) // virtual time
		got := b.result(id)
		if d := got.Ballot.Definition; d.Question != question || d.Options()[1].ID != "3" || got.Version != 2 {
			t.Errorf("elsewhere it is %+v", d)
		}
		if code := b.castCode(vote(id, "1")); code != oponn.CodeInvalid {
			t.Errorf("a vote for an option that is gone: %q", code)
		}
		b.cast(vote(id, "3"))
		a.cast(vote(id, "2"))
		time.Sleep(within) // virtual time
		a.expectVotes(id, 2)
	})
	t.Run("a vote for what was asked before is not taken elsewhere", func(t *testing.T) {
		twoInstances(t, false, func(a, b *world) {
			id := a.ballot()
			b.result(id)
			a.change(id, oponn.Change{Options: []string{"spaces", "neither"}})
			if code := b.castCode(vote(id, "1")); code != oponn.CodeBusy {
				t.Errorf("a vote in between: %q", code)
			}
			time.Sleep(time.Second) // virtual time, as it was told to wait
			if code := b.castCode(vote(id, "1")); code != oponn.CodeInvalid {
				t.Errorf("and again: %q", code)
			}
			b.cast(vote(id, "3"))
			b.expectVotes(id, 1)
		})
	})
	t.Run("votes amid it are for what was asked", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id := w.ballot()
			w.store.SetLatency(3 * time.Millisecond)
			go func() {
				_, _ = w.Change(context.Background(), id, oponn.Change{Options: []string{"spaces", "neither"}})
			}()
			time.Sleep(time.Millisecond) // virtual time
			errs := w.castAll(id, 5)
			for _, err := range errs {
				if oponn.CodeOf(err) != oponn.CodeInvalid {
					t.Errorf("a vote for tabs: %v", err)
				}
			}
			w.expectVotes(id, 0)
		})
	})
}

func TestModeration(t *testing.T) {
	elsewhere(t, "hiding is seen everywhere", func(t *testing.T, a, b *world, within time.Duration) {
		id := a.ruled(oponn.Rules{WriteIns: oponn.WriteInsModerated})
		s := &sink{}
		b.watch(id, s)
		time.Sleep(time.Second) // virtual time: the bus knows
		c := vote(id, "")
		c.Choices, c.WriteIn = nil, "ed"
		a.cast(c)
		option := a.result(id).Results()[2].Option.ID
		for _, hidden := range []bool{false, true, false} {
			a.change(id, oponn.Change{WriteIn: &oponn.Showing{Option: option, Hidden: hidden}})
			time.Sleep(within) // virtual time
			if got := b.result(id).Results()[2]; (got.Standing == oponn.Hidden) != hidden || got.Standing == oponn.Pending {
				t.Errorf("elsewhere it stands %q", got.Standing)
			}
		}
	})
}

func TestReopening(t *testing.T) {
	elsewhere(t, "votes are taken again", func(t *testing.T, a, b *world, within time.Duration) {
		id := a.ballot()
		b.cast(vote(id, "1"))
		a.change(id, oponn.Change{Status: oponn.Closed})
		if code := b.castCode(vote(id, "1")); code != oponn.CodeClosed {
			t.Errorf("after closing: %q", code)
		}
		until := time.Now().Add(time.Minute)
		a.change(id, oponn.Change{Status: oponn.Open, ClosesAt: &until})
		s := &sink{}
		b.watch(id, s)
		b.cast(vote(id, "1"))
		time.Sleep(time.Minute + within) // virtual time
		if s.ended() != oponn.EndClosed {
			t.Errorf("at the new time it ended %q", s.ended())
		}
		a.expectVotes(id, 2)
	})
}

func TestCodesAndReceipts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		ctx := context.Background()
		id := w.ruled(oponn.Rules{Protection: oponn.ProtectedByCodes, AllowChange: true})
		codes, err := w.NewCodes(ctx, id, 2)
		if err != nil {
			t.Fatal(err)
		}
		by := func(code oponn.VotingCode, option oponn.OptionID) oponn.Cast {
			c := vote(id, option)
			c.Voter, c.ByCode = code.Voter(), true
			return c
		}
		first := w.cast(by(codes[0], "1"))
		second := w.cast(by(codes[0], "2"))
		if second.Replaces != first.Locator || first.Replaces != "" {
			t.Errorf("receipts %+v and %+v", first, second)
		}
		if code := w.castCode(by(oponn.NewVotingCode(), "1")); code != oponn.CodeCodeRefused {
			t.Errorf("a code that nobody has: %q", code)
		}
		if code := w.castCode(vote(id, "1")); code != oponn.CodeVoterRequired {
			t.Errorf("no code: %q", code)
		}
		for receipt, counted := range map[string]bool{first.Locator: false, second.Locator: true} {
			if got, err := w.Counting(ctx, id, receipt); err != nil || got.Counted != counted {
				t.Errorf("%s: %+v, %v", receipt, got, err)
			}
		}
		if _, err := w.Counting(ctx, id, "x"); oponn.CodeOf(err) != oponn.CodeNotFound {
			t.Errorf("no receipt: %v", err)
		}
		w.expectVotes(id, 1)
	})
}

func TestFrames_ThatSayNothingNewAreNotShown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id, s := w.ballot(), &sink{}
		status := &oponn.Group{Name: "status", Render: func(s oponn.Snapshot) ([]byte, int) { return []byte(s.State.Status), 0 }}
		if _, err := w.Watch(context.Background(), id, oponn.Viewer{Group: status, Sink: s}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.cast(vote(id, "1"))
			time.Sleep(time.Second) // virtual time
		}
		if s.count() != 1 {
			t.Errorf("%d frames", s.count())
		}
		w.change(id, oponn.Change{Status: oponn.Closed})
		time.Sleep(time.Second) // virtual time
		if s.count() != 2 || string(s.last().Bytes) != "closed" || s.ended() != oponn.EndClosed {
			t.Errorf("%d frames, the last %q, ended %q", s.count(), s.last().Bytes, s.ended())
		}
	})
}
