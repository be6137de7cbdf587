// Package bustest is the conformance suite of oponn.Bus.
package bustest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// Run checks two members of one bus. connect returns them connected and ready;
// it is called once for every subtest. settled returns once what Follow and
// Unfollow asked for holds; it may be nil for a bus that does so at once.
func Run(t *testing.T, connect func(t *testing.T) (here, there oponn.Bus), settled func()) {
	t.Helper()
	if settled == nil {
		settled = func() {}
	}
	begin := func(t *testing.T) (here, there oponn.Bus, inbox *inbox) {
		t.Helper()
		here, there = connect(t)
		inbox = newInbox()
		there.Receive(inbox.put)
		return here, there, inbox
	}
	t.Run("a notice reaches who follows the ballot, unchanged", func(t *testing.T) {
		here, there, inbox := begin(t)
		notice := some(7)
		there.Follow(notice.Ballot)
		settled()
		publish(t, here, notice)
		got := inbox.next(t)
		if got.Ballot != notice.Ballot || got.Gone || got.Head.Version != 7 || got.Head.Position != 3 || got.Head.Voters != 2 ||
			got.Head.WriteIns != 1 || string(got.Head.Sealed) != string(notice.Head.Sealed) || got.Head.Ballot != notice.Ballot {
			t.Errorf("sent %+v, received %+v", notice, got)
		}
	})
	t.Run("that a ballot is gone is told too", func(t *testing.T) {
		here, there, inbox := begin(t)
		notice := oponn.Notice{Ballot: oponn.NewBallotID(), Gone: true}
		there.Follow(notice.Ballot)
		settled()
		publish(t, here, notice)
		if got := inbox.next(t); !got.Gone || got.Ballot != notice.Ballot {
			t.Errorf("received %+v", got)
		}
	})
	t.Run("notices of other ballots don't come, nor after Unfollow", func(t *testing.T) {
		here, there, inbox := begin(t)
		left, kept := some(1), some(2)
		there.Follow(left.Ballot)
		there.Follow(kept.Ballot)
		there.Unfollow(left.Ballot)
		settled()
		publish(t, here, some(3))
		publish(t, here, left)
		publish(t, here, kept)
		if got := inbox.next(t); got.Ballot != kept.Ballot {
			t.Errorf("received %+v", got)
		}
	})
	t.Run("many at once arrive", func(t *testing.T) {
		here, there, inbox := begin(t)
		notices := make([]oponn.Notice, 50)
		for i := range notices {
			notices[i] = some(uint64(i + 1))
			there.Follow(notices[i].Ballot)
		}
		settled()
		var done sync.WaitGroup
		for _, notice := range notices {
			done.Go(func() { publish(t, here, notice) })
		}
		done.Wait()
		for range notices {
			inbox.next(t)
		}
	})
	t.Run("after Close nothing comes and nothing breaks", func(t *testing.T) {
		here, there, inbox := begin(t)
		notice := some(1)
		there.Follow(notice.Ballot)
		settled()
		if err := there.Close(); err != nil {
			t.Fatal(err)
		}
		publish(t, here, notice)
		there.Follow(notice.Ballot)
		there.Unfollow(notice.Ballot)
		if n := inbox.count(); n != 0 {
			t.Errorf("%d notices after Close", n)
		}
	})
}

// some returns a notice of a ballot of its own.
func some(version uint64) oponn.Notice {
	id := oponn.NewBallotID()
	return oponn.Notice{Ballot: id, Head: oponn.Head{Ballot: id, Version: version, Position: 3, Voters: 2, WriteIns: 1,
		Sealed: []byte("sealed \x00\xff bytes")}}
}

func publish(t *testing.T, b oponn.Bus, notice oponn.Notice) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := b.Publish(ctx, notice); err != nil {
		t.Errorf("Publish: %v", err)
	}
}

// inbox keeps what a member received.
type inbox struct{ notices chan oponn.Notice }

func newInbox() *inbox { return &inbox{notices: make(chan oponn.Notice, 1000)} }

func (i *inbox) put(notice oponn.Notice) { i.notices <- notice }

func (i *inbox) next(t *testing.T) oponn.Notice {
	t.Helper()
	select {
	case notice := <-i.notices:
		return notice
	case <-time.After(10 * time.Second):
		t.Fatal("no notice came")
		return oponn.Notice{}
	}
}

func (i *inbox) count() int { return len(i.notices) }
