package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

// A table that has never been analyzed looks small to the planner: reading a
// whole ballot would seem as good as a probe of the index.
func TestHotBallotWithoutStatistics(t *testing.T) {
	url := pgtest.URL(t)
	store, admin := openStore(t, url), connect(t, url)
	exec(t, admin, "alter table votes set (autovacuum_enabled = off)", "alter table heads set (autovacuum_enabled = off)")
	subject := storetest.Create(t, store, storetest.Plan{})
	var last oponn.LoggedVote
	for range 10 {
		last = storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2000))).Logged[0]
	}
	ctx, ballot, tag := context.Background(), oponn.VoteID(subject.ID).String(), oponn.VoteID(last.Tag).String()
	plans := map[string]func() (string, error){
		"the look-up by a writer probes the index":       func() (string, error) { return store.PlanOfLookUp(ctx, true, ballot, tag) },
		"the look-up by any connection probes the index": func() (string, error) { return store.PlanOfLookUp(ctx, false, ballot, tag) },
		"heads are locked by their key":                  func() (string, error) { return store.PlanOfLock(ctx, ballot) },
		"heads are updated by their key":                 func() (string, error) { return store.PlanOfUpdate(ctx) },
	}
	t.Run("a page of the log is read by its key and not sorted", func(t *testing.T) {
		plan, err := store.PlanOfPage(ctx, ballot, tag)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plan, "Sort") || !strings.Contains(plan, "Index Scan") || !strings.Contains(plan, "ROW(tag, revision)") || strings.Contains(plan, "Filter") {
			t.Errorf("the plan is\n%s", plan)
		}
	})
	for name, explain := range plans {
		t.Run(name, func(t *testing.T) {
			plan, err := explain()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Filter") || !strings.Contains(plan, "Index") {
				t.Errorf("the plan is\n%s", plan)
			}
			if strings.Contains(plan, "votes") && !strings.Contains(plan, "(tag = t.tag)") {
				t.Errorf("the tag is not in the index condition:\n%s", plan)
			}
		})
	}
}
