package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/persistence/sqlite"
)

func TestMeters(t *testing.T) {
	metrics := ops.NewMetrics()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "oponn.db"), sqlite.Meter(metrics))
	if err != nil {
		t.Fatal(err)
	}
	reads := func(name string, labels ...string) float64 { return metrics.Read(name).Value(name, labels...) }
	before := reads("oponn_store_transactions_total")
	if done := store.Append(t.Context(), []oponn.Batch{oponn.Purging(oponn.NewBallotID())}); oponn.CodeOf(done[0].Err) != oponn.CodeNotFound {
		t.Fatal(done[0].Err)
	}
	if got := reads("oponn_store_transactions_total"); got <= before { // the sweeper has some, too
		t.Errorf("%v transactions, %v before", got, before)
	}
	if failed := reads("oponn_store_transactions_failed_total"); failed != 0 {
		t.Errorf("%v failed", failed)
	}
	for _, step := range []string{"decide", "commit"} {
		if reads("oponn_store_transaction_step_seconds", "step", step) == 0 {
			t.Errorf("nothing of %s", step)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
