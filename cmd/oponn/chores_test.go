package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory()
		short := storetest.Plan{Definition: oponn.Definition{Rules: oponn.Rules{RetentionDays: 7}}}
		var doomed []oponn.BallotID
		for range purgeAtOnce + 1 {
			doomed = append(doomed, storetest.Create(t, store, short).ID)
		}
		alive := []oponn.BallotID{storetest.Create(t, store, storetest.Plan{}).ID}
		voted := storetest.Create(t, store, short)
		time.Sleep(24 * time.Hour) // virtual time
		storetest.Insist(t, store, voted.Batch(voted.NewVotes(t, 1)))
		alive = append(alive, voted.ID)
		time.Sleep(6*24*time.Hour - time.Second) // virtual time
		if n, err := purge(t.Context(), store); n != 0 || err != nil {
			t.Errorf("purged %d too early, %v", n, err)
		}
		time.Sleep(time.Second) // virtual time
		if n, err := purge(t.Context(), store); n != len(doomed) || err != nil {
			t.Errorf("purged %d of %d, %v", n, len(doomed), err)
		}
		for _, id := range doomed {
			if _, err := store.Load(t.Context(), id); oponn.CodeOf(err) != oponn.CodeGone {
				t.Fatalf("one that expired: %v", err)
			}
		}
		slices.SortFunc(alive, oponn.BallotID.Compare)
		if left, err := store.Ballots(t.Context(), oponn.BallotID{}, 10); err != nil || !slices.Equal(left, alive) {
			t.Errorf("left are %v, %v", left, err)
		}
	})
}
