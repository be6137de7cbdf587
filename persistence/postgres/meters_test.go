package postgres_test

import (
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

func TestMeters(t *testing.T) {
	metrics := ops.NewMetrics()
	store := openStore(t, pgtest.URL(t), postgres.Meter(metrics), postgres.Writers(2), postgres.Readers(3))
	nobody := oponn.Purging(oponn.NewBallotID())
	if done := store.Append(t.Context(), []oponn.Batch{nobody}); oponn.CodeOf(done[0].Err) != oponn.CodeNotFound {
		t.Fatal(done[0].Err)
	}
	for _, tt := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{0, "oponn_store_transactions_failed_total", nil},
		{2, "oponn_postgres_connections_limit", []string{"pool", "writers"}},
		{3, "oponn_postgres_connections_limit", []string{"pool", "readers"}},
		{1, "oponn_postgres_connections", []string{"pool", "writers", "state", "idle"}},
		{0, "oponn_postgres_connections", []string{"pool", "writers", "state", "acquired"}},
		{1, "oponn_postgres_connects_total", []string{"pool", "writers"}},
		{0, "oponn_postgres_acquires_canceled_total", []string{"pool", "writers"}},
	} {
		if got := metrics.Read(tt.name).Value(tt.name, tt.labels...); got != tt.want {
			t.Errorf("%s %v reads %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
	for _, name := range []string{"oponn_store_transactions_total", "oponn_store_transaction_step_seconds", "oponn_postgres_acquires_total",
		"oponn_postgres_acquires_waited_total", "oponn_postgres_acquire_wait_seconds_total"} {
		if metrics.Read(name).Value(name) <= 0 {
			t.Errorf("nothing of %s", name)
		}
	}
}
