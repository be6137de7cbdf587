package keys_test

import (
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/kmstest"
)

func TestMeters(t *testing.T) {
	metrics, server := ops.NewMetrics(), kmstest.Start(t)
	server.CreateKey("alias/oponn")
	cfg := config(server, "alias/oponn")
	cfg.Meter = metrics
	ring := keys.NewRing(mustOpenKMS(t, cfg), keys.WithCacheSize(1), keys.WithMeter(metrics))
	want := func(n float64, name string, labels ...string) {
		t.Helper()
		if got := metrics.Read(name).Value(name, labels...); got != n {
			t.Errorf("%s %v reads %v, want %v", name, labels, got, n)
		}
	}
	create := func() (oponn.BallotID, oponn.WrappedKey) {
		ballot := oponn.NewBallotID()
		wrapped, _, err := ring.Create(t.Context(), ballot)
		if err != nil {
			t.Fatal(err)
		}
		return ballot, wrapped
	}
	first, wrapped := create()
	want(0, "oponn_keys_cache_evictions_total")
	last, _ := create()
	want(1, "oponn_keys_cache_evictions_total")
	want(1, "oponn_keys_cached")
	want(1, "oponn_keys_cached_limit")
	want(3, "oponn_kms_call_seconds", "operation", "GenerateDataKey", "result", "ok") // the first was to try it
	want(1, "oponn_kms_call_seconds", "operation", "DescribeKey", "result", "ok")
	for range 2 {
		if _, err := ring.Open(t.Context(), first, wrapped); err != nil {
			t.Fatal(err)
		}
	}
	want(1, "oponn_keys_cache_requests_total", "result", "miss")
	want(1, "oponn_keys_cache_requests_total", "result", "hit")
	want(2, "oponn_kms_call_seconds", "operation", "Decrypt", "result", "ok")
	ring.Forget(first)
	want(0, "oponn_keys_cached")

	server.Fail(kmstest.Denied)
	if _, _, err := ring.Create(t.Context(), last); err == nil {
		t.Error("no error")
	}
	want(1, "oponn_kms_call_seconds", "operation", "GenerateDataKey", "result", "denied")
	want(1, "oponn_kms_breaker_state", "state", "closed")
	server.Heal()
	server.Fail(kmstest.Down)
	for range 6 {
		if _, _, err := ring.Create(t.Context(), last); err == nil {
			t.Error("no error")
		}
	}
	want(6, "oponn_kms_call_seconds", "operation", "GenerateDataKey", "result", "unreachable")
	want(1, "oponn_kms_breaker_state", "state", "open")
	want(0, "oponn_kms_breaker_state", "state", "closed")
}
