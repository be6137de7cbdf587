package yardstick

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// BenchmarkCrowd has 50,000 viewers on four instances of one service, and asks
// how long it takes until the last of them has seen a vote.
func BenchmarkCrowd(b *testing.B) {
	const instances, each, votes = 4, 12_500, 20
	settings := []string{"DATABASE_URL=" + pgtest.URL(b), "REDIS_URL=" + redistest.URL(b), "OPONN_DATA_DIR=" + b.TempDir() + "/data"}
	servers, clients, addrs := make([]*process, instances), make([]*process, instances), make([]string, instances)
	for i := range instances {
		servers[i], addrs[i] = startOponn(b, settings...)
		clients[i] = play(b, "viewers")
	}
	s := newService(b, addrs[0], votes)
	everywhere := func(do func(i int)) {
		var all sync.WaitGroup
		for i := range instances {
			all.Go(func() { do(i) })
		}
		all.Wait()
	}
	before := 0.0
	for _, server := range servers {
		before += server.rss()
	}
	begin := time.Now()
	everywhere(func(i int) {
		var t tidings
		clients[i].ask(order{Op: "connect", Addr: addrs[i], Path: s.watchPath(), Count: each, Mark: "id: ", Source: fmt.Sprintf("127.0.%d.1", i+1)}, &t)
		if t.Error != "" {
			b.Error(t.Error)
		}
	})
	if b.Failed() {
		return
	}
	joined := time.Since(begin)
	<-time.After(settle)
	memory := -before
	for _, server := range servers {
		memory += server.rss()
	}
	took := make([]time.Duration, votes)
	for n := range took {
		at := time.Now()
		version := s.vote(b)
		lasts := make([]int64, instances)
		everywhere(func(i int) {
			var t tidings
			clients[i].ask(order{Op: "await", Number: version}, &t)
			lasts[i] = t.Last
		})
		if slices.Min(lasts) == 0 {
			b.Fatalf("somebody never saw version %d", version)
		}
		took[n] = time.Duration(slices.Max(lasts) - at.UnixNano())
	}
	for _, client := range clients {
		var t tidings
		client.ask(order{Op: "report"}, &t)
		if t.Connected != each || t.Lost > 0 || t.Backward > 0 {
			b.Errorf("%d viewers are there, %d streams ended, %d versions fell", t.Connected, t.Lost, t.Backward)
		}
	}
	slices.Sort(took)
	fmt.Fprintf(os.Stdout, "\n%d viewers on %d instances: all there after %.1f s, %.1f KB each; a vote is at the last one after %d ms (median of %d), %d ms at most\n",
		instances*each, instances, joined.Seconds(), memory/(instances*each), took[votes/2].Milliseconds(), votes, took[votes-1].Milliseconds())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[votes/2].Milliseconds()), "median-ms")
	b.ReportMetric(float64(took[votes-1].Milliseconds()), "max-ms")
	b.ReportMetric(memory/(instances*each), "KB/viewer")
}
