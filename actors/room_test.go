package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestWatching_OverAllInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, local := storetest.NewMemory(), bus.NewLocal()
		one, two := newWorld(t, store, local, nil), newWorld(t, store.Sibling(), local.Join(), nil)
		ballot := one.ballot()
		leave := []func(){one.watch(ballot, &sink{}), two.watch(ballot, &sink{}), two.watch(ballot, &sink{})}
		projector, err := one.Watch(context.Background(), ballot, oponn.Viewer{Group: counts, Sink: &sink{}, Uncounted: true})
		if err != nil {
			t.Fatal(err)
		}
		want := func(n int) {
			t.Helper()
			synctest.Wait()
			one.Watching(ballot)
			synctest.Wait()
			if got := one.Watching(ballot); got != n {
				t.Errorf("%d watch, want %d", got, n)
			}
		}
		want(3)
		leave[1]()
		time.Sleep(5 * time.Second) // virtual time
		want(2)
		leave[0]()
		leave[2]()
		time.Sleep(20 * time.Second) // virtual time
		want(0)
		projector.Wake()
		one.drain()
		two.drain()
	})
}

func TestJoinCode(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		ctx := context.Background()
		made, err := w.Create(ctx, oponn.Draft{Question: "?", Options: []string{"a", "b"}, Rules: oponn.Rules{JoinCode: true},
			Window: oponn.Window{OpensAt: time.Now().Add(time.Hour)}}, oponn.OwnerID{})
		if err != nil {
			t.Fatal(err)
		}
		id := made.Snapshot.Ballot.ID
		code := func() oponn.JoinCode {
			code, err := w.JoinCode(ctx, w.result(id))
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		if got := code(); got != "" {
			t.Errorf("a ballot that isn't open has the code %s", got)
		}
		time.Sleep(2 * time.Hour) // virtual time
		w.result(id)
		synctest.Wait() // it wakes, and finds that it is open
		first := code()
		if first == "" || code() != first {
			t.Fatalf("it has the codes %q and %q", first, code())
		}
		if joined, err := w.Join(ctx, first); err != nil || joined != id {
			t.Errorf("it leads to %v, %v", joined, err)
		}
		if _, err := w.Change(ctx, id, oponn.Change{Status: oponn.Closed}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Join(ctx, first); oponn.CodeOf(err) != oponn.CodeNotFound || code() != "" {
			t.Errorf("once it is closed: %v, %s", err, code())
		}
		if _, err := w.Change(ctx, id, oponn.Change{Status: oponn.Open}); err != nil {
			t.Fatal(err)
		}
		if again := code(); again != first {
			t.Errorf("opened again it has %s", again)
		}
		if _, err := w.Change(ctx, id, oponn.Change{Delete: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Join(ctx, first); oponn.CodeOf(err) != oponn.CodeNotFound {
			t.Errorf("once it is deleted: %v", err)
		}
	})
}

func TestBeside(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		ctx, owner := context.Background(), oponn.NewOwnerID()
		var ids []oponn.BallotID
		for range 3 {
			made, err := w.Create(ctx, oponn.Draft{Question: "?", Options: []string{"a", "b"}}, owner)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, made.Snapshot.Ballot.ID)
			time.Sleep(time.Second) // virtual time
		}
		for i, want := range [][2]oponn.BallotID{{{}, ids[1]}, {ids[0], ids[2]}, {ids[1], {}}} {
			before, after, err := w.Beside(ctx, owner, ids[i])
			if err != nil || before != want[0] || after != want[1] {
				t.Errorf("beside ballot %d: %v, %v, %v", i, before, after, err)
			}
		}
		before, after, err := w.Beside(ctx, oponn.OwnerID{}, ids[1])
		if err != nil || before != (oponn.BallotID{}) || after != (oponn.BallotID{}) {
			t.Errorf("nobody has ballots: %v, %v, %v", before, after, err)
		}
	})
}

func TestPace(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		ballot := w.ballot()
		for range 3 {
			w.castAll(ballot, 12)
			time.Sleep(10 * time.Minute) // virtual time
		}
		if _, err := w.Change(context.Background(), ballot, oponn.Change{Status: oponn.Closed}); err != nil {
			t.Fatal(err)
		}
		pace, err := w.Pace(context.Background(), w.result(ballot))
		if err != nil || len(pace) != 4 || pace[1].Voters != 12 || pace[3].Voters != 36 {
			t.Errorf("the pace is %+v, %v", pace, err)
		}
	})
}
