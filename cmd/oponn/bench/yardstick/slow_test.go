package yardstick

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// BenchmarkSlowViewers has 1,000 viewers who read, alone and then among 1,000
// who never do, and says what the others cost them.
func BenchmarkSlowViewers(b *testing.B) {
	const viewers, span = 1000, 6 * time.Second
	run := oponnCourse(b)
	readers, mutes := play(b, "viewers"), play(b, "viewers")
	var t tidings
	readers.ask(order{Op: "connect", Addr: run.addr, Path: run.path, Count: viewers, Mark: run.mark}, &t)
	measure := func() (p99, last float64) {
		readers.ask(order{Op: "reset"}, &t)
		published := map[uint64]time.Time{}
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for begin := time.Now(); time.Since(begin) < span; <-ticker.C {
			at := time.Now()
			published[run.publish(0)] = at
		}
		readers.ask(order{Op: "report"}, &t)
		_, p99, last = latencies(t, published)
		return p99, last
	}
	measure() // until it is warm
	var alone, among []float64
	for range 3 {
		p99, last := measure()
		fmt.Fprintf(os.Stdout, "%d readers alone: p99 %.0f ms, the last one has half of the frames after %.1f ms\n", viewers, p99, last)
		alone = append(alone, p99)
		mutes.ask(order{Op: "connect", Addr: run.addr, Path: run.path, Count: viewers, Mark: run.mark, Mute: true}, &t)
		<-time.After(2 * time.Second) // they are all in, and full
		p99, last = measure()
		fmt.Fprintf(os.Stdout, "among as many who never read: p99 %.0f ms, last %.1f ms\n", p99, last)
		among = append(among, p99)
		mutes.ask(order{Op: "leave"}, &t)
	}
	readers.ask(order{Op: "report"}, &t)
	if t.Connected != viewers || t.Lost > 0 {
		b.Errorf("%d readers are left", t.Connected)
	}
	slices.Sort(alone)
	slices.Sort(among)
	ratio := among[1] / alone[1]
	fmt.Fprintf(os.Stdout, "ratio of the medians: %.2f\n", ratio)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratio, "p99-ratio")
}
