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

// distant is a store whose answers take a while to arrive.
type distant struct {
	oponn.Store
	away time.Duration
}

func (s distant) Load(ctx context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	record, err := s.Store.Load(ctx, ballot)
	time.Sleep(s.away) // virtual time
	return record, err
}

// TestReading_WhileTheStoreIsBeingAsked has somebody ask for a version that was
// committed after the instance had asked the store, and before it answered: by
// the result and by a stream, on a ballot that is awake and on one that wakes.
func TestReading_WhileTheStoreIsBeingAsked(t *testing.T) {
	for name, awake := range map[string]bool{"awake": true, "waking": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := storetest.NewMemory()
				a := newWorld(t, store, bus.NewLocal(), nil)
				b := newWorld(t, store.Sibling(), bus.NewLocal(), func(c *actors.Config) { c.Store = distant{c.Store, 100 * time.Millisecond} })
				id := a.ballot()
				if awake {
					b.result(id)
					time.Sleep(2 * time.Second) // virtual time: what it knows is old now
				}
				go func() { _, _ = b.Result(context.Background(), id, 0) }()
				time.Sleep(50 * time.Millisecond) // virtual time: the store has been asked
				receipt := a.cast(vote(id, "1"))
				s, watching := &sink{}, make(chan struct{})
				go func() {
					defer close(watching)
					stream, err := b.Watch(context.Background(), id, oponn.Viewer{Group: counts, After: receipt.Version - 1, Sink: s})
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(2 * time.Second) // virtual time
					if got := string(s.last().Bytes); got != "open 1" {
						t.Errorf("a viewer sees %q", got)
					}
					s.leave(stream)()
				}()
				snapshot, err := b.Result(context.Background(), id, receipt.Version)
				if err != nil || snapshot.Version < receipt.Version {
					t.Errorf("having seen version %d, a reader is shown %d, %v", receipt.Version, snapshot.Version, err)
				}
				<-watching
				s.rising(t)
				if snapshot, err := b.Result(context.Background(), id, 1<<40); err != nil || snapshot.Version != receipt.Version {
					t.Errorf("after a version that isn't: %d, %v", snapshot.Version, err)
				}
				a.drain()
				b.drain()
			})
		})
	}
}
