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

// ahead is a store whose clock is ahead of this instance's.
type ahead struct {
	oponn.Store
	by time.Duration
}

func (s ahead) Now(ctx context.Context) (time.Time, error) {
	now, err := s.Store.Now(ctx)
	return now.Add(s.by), err
}

func (s ahead) Create(ctx context.Context, record oponn.Record) (time.Time, error) {
	at, err := s.Store.Create(ctx, record)
	return at.Add(s.by), err
}

func (s ahead) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	shifted := make([]oponn.Batch, len(batches))
	for i, batch := range batches {
		decide := batch.Apply
		batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			g.Now = g.Now.Add(s.by)
			return decide(g)
		}
		shifted[i] = batch
	}
	return s.Store.Append(ctx, shifted)
}

// TestClockSkew has an instance whose clock is wrong by an hour: a ballot opens
// and closes by the store's all the same, for voters and for viewers.
func TestClockSkew(t *testing.T) {
	for name, by := range map[string]time.Duration{"slow": time.Hour, "fast": -time.Hour} {
		t.Run("an instance whose clock is "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := storetest.NewMemory()
				w := newWorld(t, memory, bus.NewLocal(), func(c *actors.Config) { c.Store = ahead{memory, by} })
				now := time.Now().Add(by)
				id := w.ballot(oponn.Window{OpensAt: now.Add(time.Minute), ClosesAt: now.Add(2 * time.Minute)})
				s := &sink{}
				w.watch(id, s)
				if code := w.castCode(vote(id, "1")); code != oponn.CodeNotOpen {
					t.Errorf("before the opening: %q", code)
				}
				time.Sleep(59 * time.Second) // virtual time
				if got := string(s.last().Bytes); got != "scheduled 0" {
					t.Errorf("before the opening a viewer sees %q", got)
				}
				time.Sleep(3 * time.Second) // virtual time
				if got := string(s.last().Bytes); got != "open 0" {
					t.Errorf("after the opening a viewer sees %q", got)
				}
				w.cast(vote(id, "1"))
				time.Sleep(57 * time.Second) // virtual time
				w.cast(vote(id, "1"))
				time.Sleep(2 * time.Second) // virtual time
				if got := string(s.last().Bytes); got != "closed 2" || s.ended() != oponn.EndClosed {
					t.Errorf("after the closing a viewer sees %q, ended %q", got, s.ended())
				}
				if code := w.castCode(vote(id, "1")); code != oponn.CodeClosed {
					t.Errorf("after the closing: %q", code)
				}
				w.expectVotes(id, 2)
				w.drain()
			})
		})
	}
}
