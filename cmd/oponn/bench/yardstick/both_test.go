package yardstick

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench"
	findings "github.com/oponn/oponn/cmd/oponn/bench/report"
)

// hall is Oponn with a Postgres of its own, and what it takes at most.
type hall struct {
	booth
	server    *process
	worker    []string
	saturated float64 // votes/s
}

// openHall starts a server and finds out how much it takes.
func openHall(b *testing.B, connections int, settings ...string) hall {
	b.Helper()
	database := seasoned(b, "512MB")
	server, addr := startOponn(b, append(settings, "DATABASE_URL="+database.URL())...)
	file, err := buildOponn()
	if err != nil {
		b.Fatal(err)
	}
	h := hall{server: server, worker: []string{file, "viewers"},
		booth: booth{name: "oponn", url: "http://" + addr, pids: []int{server.pid(), database.PID()}, honest: true}}
	var rates []float64
	for range rounds {
		rates = append(rates, h.load(b, bench.Plan{Connections: connections, Duration: heat / 2}).Votes.PerSecond)
	}
	h.saturated = median(rates)
	fmt.Printf("\nsaturated at %.0f votes/s\n", h.saturated)
	return h
}

// BenchmarkBoth has 10,000 viewers of a ballot that takes half of the votes
// that saturate the server.
func BenchmarkBoth(b *testing.B) {
	h := openHall(b, 512)
	b.ReportMetric(0, "ns/op")
	watched := h.load(b, bench.Plan{Connections: 2000, Rate: h.saturated / 2, Duration: 2 * heat,
		Viewers: crowd, Join: 3 * time.Second, Settle: 10 * time.Second, Worker: h.worker})
	fmt.Printf("%d viewers and %.0f votes/s: acknowledged after p50 %.1f ms, p99 %.1f ms; on screen after p50 %.0f ms, p99 %.0f ms, max %.0f ms; "+
		"%.1f frames/s a viewer; lost %d, doubled %d, stale %d, backward %d\n",
		watched.Viewers.Joined, watched.Votes.PerSecond, watched.Votes.Acknowledgement.P50, watched.Votes.Acknowledgement.P99,
		watched.Screen.P50, watched.Screen.P99, watched.Screen.Max, watched.Viewers.PerSecond/crowd,
		watched.Checks.Lost, watched.Checks.Doubled, watched.Checks.Stale, watched.Checks.Backward)
	b.ReportMetric(watched.Screen.P99, "screen-p99-ms")
}

// BenchmarkOverload has more votes due than the server can take: with the
// ordinary settings, where they wait; where a tenth of a second's votes may wait,
// from clients that come back when they are told to and from hasty ones, who send
// the next vote at once; and where too few may wait.
func BenchmarkOverload(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	times := []float64{1.25, 1.5, 2}
	patient := openHall(b, 1000)
	for _, times := range times {
		patient.overload(b, "good", bench.Plan{Connections: 8000, Rate: patient.saturated * times, Duration: heat}, times)
	}
	// So long that it matters little that all of these connections are opened at
	// its beginning.
	patient.overload(b, "good", bench.Plan{Connections: 8000, Duration: 5 * heat}, 0)
	few := openHall(b, 1000, "OPONN_MAX_WAITING=4000")
	for _, times := range times {
		few.overload(b, "good", bench.Plan{Connections: 5000, Rate: few.saturated * times, Duration: 2 * heat}, times)
		// Voters who are refused don't come back here: else what is due would grow.
		few.overload(b, "hasty", bench.Plan{Connections: 5000, Rate: few.saturated * times, Duration: 2 * heat, Tries: 1}, times)
	}
	few.overload(b, "good", bench.Plan{Connections: 5000, Ramp: time.Second, Duration: 2 * heat}, 0)
	tooFew := openHall(b, 1000, "OPONN_MAX_WAITING=1500")
	tooFew.overload(b, "hasty", bench.Plan{Connections: 3000, Rate: tooFew.saturated * 1.5, Duration: 2 * heat, Tries: 1}, 1.5)
}

// overload runs a plan that has so many times more votes due than saturate the
// server; zero for connections that vote again as soon as they are answered. It
// is compared with what saturates right before it and right after.
func (h hall) overload(b *testing.B, clients string, plan bench.Plan, times float64) {
	b.Helper()
	best := func() float64 { return h.load(b, bench.Plan{Connections: 1000, Duration: heat / 2}).Votes.PerSecond }
	before := best()
	over := h.load(b, plan)
	ratio := 2 * over.Votes.PerSecond / (before + best())
	due := "as fast as they go"
	if times > 0 {
		due = fmt.Sprintf("due at %.2f times of what saturates", times)
	}
	fmt.Printf("%s clients, %d connections, votes %s: %.2f of what saturates acknowledged, after p50 %.0f ms, p99 %.0f ms; refused %v, %s\n",
		clients, plan.Connections, due, ratio, over.Votes.Acknowledgement.P50, over.Votes.Acknowledgement.P99, over.Votes.Refused, refusal(over))
	b.ReportMetric(ratio, fmt.Sprintf("x-best-%s-%d-at-%.2f", clients, plan.Connections, times))
}

func refusal(r *findings.Report) string {
	if r.Votes.Refusal == nil {
		return "nothing was refused"
	}
	return fmt.Sprintf("after p50 %.1f ms, p99 %.1f ms", r.Votes.Refusal.P50, r.Votes.Refusal.P99)
}

// soakVariable is how long BenchmarkSoak soaks; a minute by default.
const soakVariable = "YARDSTICK_SOAK"

// BenchmarkSoak watches the memory of a server under an even load.
func BenchmarkSoak(b *testing.B) {
	long := time.Minute
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			b.Fatal(err)
		}
	}
	h := openHall(b, 512)
	b.ReportMetric(0, "ns/op")
	var memory []float64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(long / 100)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				memory = append(memory, h.server.rss()/1024)
			case <-stop:
				return
			}
		}
	}()
	r := h.load(b, bench.Plan{Connections: 1000, Rate: h.saturated / 4, Duration: long,
		Viewers: crowd / 10, Join: time.Second, Worker: h.worker})
	close(stop)
	<-stopped
	early, late := median(memory[len(memory)/5:2*len(memory)/5]), median(memory[4*len(memory)/5:])
	fmt.Printf("%s, %d votes and %d frames: %.1f MB in the second fifth, %.1f MB in the last\n",
		long, r.Votes.Acknowledged, r.Viewers.Frames, early, late)
	b.ReportMetric(late/early, "x-memory")
}
