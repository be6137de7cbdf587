package yardstick

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/cmd/oponn/bench"
	findings "github.com/oponn/oponn/cmd/oponn/bench/report"
	web "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/sqlite"
)

const (
	dirVariable   = "OPONN_YARDSTICK_DIR"
	meterVariable = "OPONN_YARDSTICK_METER"
)

// runMetered serves with SQLite, counted and measured or not.
func runMetered() error {
	dir := os.Getenv(dirVariable)
	var meter oponn.Meter
	if os.Getenv(meterVariable) != "" {
		meter = ops.NewMetrics()
	}
	store, err := sqlite.Open(context.Background(), dir+"/oponn.db", sqlite.Meter(meter))
	if err != nil {
		return err
	}
	kek, err := keys.OpenLocal(dir + "/kek")
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	system, err := actors.Start(actors.Config{Store: store, Keys: keys.NewRing(kek, keys.WithMeter(meter)), Bus: bus.NewLocal(),
		Logger: quiet, Meter: meter})
	if err != nil {
		return err
	}
	server, err := web.New(web.Config{Secrets: [][]byte{[]byte("not much of a secret")}, VoterTokens: true, Logger: quiet, Meter: meter}, system)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", os.Getenv(addrVariable))
	if err != nil {
		return err
	}
	return server.Serve(listener)
}

// BenchmarkMetrics has voters vote on a hot ballot that some watch, as fast as
// they are answered, at a server that counts and measures and at one that does
// not, in short turns: each turn is compared with its neighbour.
func BenchmarkMetrics(b *testing.B) {
	const (
		turn  = 600 * time.Millisecond
		turns = 30
	)
	start := func(name, meter string) booth {
		addr := freePort(b)
		p := play(b, "metered", addrVariable+"="+addr, dirVariable+"="+b.TempDir(), meterVariable+"="+meter)
		await(b, "http://"+addr+"/")
		return booth{name: name, url: "http://" + addr, pids: []int{p.pid()}, honest: true}
	}
	booths := []booth{start("counted", "on"), start("not counted", "")}
	plan := bench.Plan{Connections: 256, Viewers: 20, Duration: turn}
	for _, s := range booths {
		s.load(b, plan) // the first votes are slow ones
	}
	runs := make(map[string][]*findings.Report)
	for range turns {
		for _, s := range booths {
			runs[s.name] = append(runs[s.name], s.load(b, plan))
		}
		slices.Reverse(booths) // neither is always the first
	}
	rates := against(perSecond(runs["counted"]), perSecond(runs["not counted"]))
	costs := against(perVote(runs["counted"]), perVote(runs["not counted"]))
	fmt.Printf("\ncounted: %.0f votes/s, %.1f µs of CPU a vote; not counted: %.0f votes/s, %.1f µs\nrates %s\ncosts %s\n\n",
		median(perSecond(runs["counted"])), median(perVote(runs["counted"])),
		median(perSecond(runs["not counted"])), median(perVote(runs["not counted"])), spread(rates), spread(costs))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(rates), "x-rate")
	b.ReportMetric(median(costs), "x-cpu")
}

// spread tells the middle half of some ratios, and how sure their mean is.
func spread(ratios []float64) string {
	sorted := slices.Sorted(slices.Values(ratios))
	mean, squares := 0.0, 0.0
	for _, r := range sorted {
		mean += r / float64(len(sorted))
	}
	for _, r := range sorted {
		squares += (r - mean) * (r - mean)
	}
	sure := math.Sqrt(squares/float64(len(sorted)-1)) / math.Sqrt(float64(len(sorted)))
	return fmt.Sprintf("%.3f in the middle, from %.2f to %.2f in half of the turns; mean %.3f ± %.3f",
		median(ratios), sorted[len(sorted)/4], sorted[len(sorted)*3/4], mean, sure)
}
