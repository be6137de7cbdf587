package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/http/ops"
)

func TestRedis_Meters(t *testing.T) {
	url, namespace := redistest.URL(t), redistest.Namespace(t)
	client := redistest.Client(t, url)
	sent, metrics := ops.NewMetrics(), ops.NewMetrics()
	here, there := open(t, url, namespace, bus.WithMeter(sent)), open(t, url, namespace, bus.WithMeter(metrics))
	there.Receive(func(oponn.Notice) {})
	there.Resynced(func(oponn.BallotID) {})
	well(t, here, there)
	ballot := oponn.NewBallotID()
	there.Follow(ballot)
	subscribed(t, there, client, namespace, false)

	reads := func(m *ops.Metrics, name string, labels ...string) float64 {
		return m.Read(name).Value(name, labels...)
	}
	await := func(n float64, m *ops.Metrics, name string, labels ...string) {
		t.Helper()
		until(t, 10*time.Second, name, func() bool { return reads(m, name, labels...) >= n })
	}
	await(1, metrics, "oponn_bus_followed_ballots")
	await(1, metrics, "oponn_bus_resyncs_total")
	await(1, metrics, "oponn_bus_connects_total")
	for kind, notice := range map[string]oponn.Notice{
		"head": {Ballot: ballot, Head: oponn.Head{Ballot: ballot, Version: 1, Sealed: []byte("sealed")}},
		"gone": {Ballot: ballot, Gone: true},
		"roll": {Ballot: ballot, Roll: &oponn.Roll{Instance: 1}},
		"age":  {Ballot: ballot, Age: &oponn.Age{Version: 1}},
	} {
		if err := here.Publish(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		await(1, metrics, "oponn_bus_received_total", "kind", kind)
	}
	if err := here.Publish(t.Context(), oponn.Notice{Ballot: ballot}); err == nil {
		t.Error("half a notice was published")
	}
	if done, failed := reads(sent, "oponn_bus_published_total", "result", "done"), reads(sent, "oponn_bus_published_total", "result", "failed"); done != 4 || failed != 1 {
		t.Errorf("%v published, %v failed", done, failed)
	}
	if took := reads(sent, "oponn_bus_publish_seconds"); took != 4 {
		t.Errorf("%v times measured", took)
	}
	for _, what := range [][]string{{"oponn_redis_connections"}, {"oponn_redis_pool_requests_total", "result", "hit"}} {
		if reads(sent, what[0], what[1:]...) == 0 {
			t.Errorf("nothing of %v", what)
		}
	}
	channels := there.Channels()
	if err := client.Publish(t.Context(), channels[len(channels)-1], "nonsense").Err(); err != nil {
		t.Fatal(err)
	}
	await(1, metrics, "oponn_bus_refused_total")
	if err := client.ClientKillByFilter(context.Background(), "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	await(1, metrics, "oponn_bus_disconnects_total")
	await(2, metrics, "oponn_bus_connects_total")
	await(2, metrics, "oponn_bus_resyncs_total")
	well(t, there)
	if got := reads(metrics, "oponn_bus_degraded"); got != 0 {
		t.Errorf("degraded: %v", got)
	}
}

func TestRedis_MetersAnAbsentOne(t *testing.T) {
	metrics := ops.NewMetrics()
	open(t, "redis://127.0.0.1:1", "nobody", bus.WithMeter(metrics))
	if got := metrics.Read("oponn_bus_degraded").Value("oponn_bus_degraded"); got != 1 {
		t.Errorf("degraded: %v, want 1", got)
	}
}
