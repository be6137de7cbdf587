package yardstick

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// crowd is how many watch, and pace how often there is something new.
	crowd = 10_000
	pace  = 100 * time.Millisecond
	// window is how long frames are counted.
	window = 8 * time.Second
	// settle is how long a server gets to come to rest before its memory is
	// looked at.
	settle = 4 * time.Second
)

// contender is a server that streams frames.
type contender struct {
	name  string
	start func(b testing.TB) *course
}

// course is a contender that runs.
type course struct {
	server  *process
	addr    string
	path    string
	mark    string
	publish func(number uint64) uint64 // returns the number that viewers see
}

// frameBytes is the size of all frames: that of Oponn's.
const frameBytes = 1024

func contenders() []contender {
	return []contender{
		{"nchan, 1 worker", func(b testing.TB) *course { return nchanCourse(b, 1) }},
		{"oponn", oponnCourse},
		{"net/http + channel", netHTTPCourse},
		{"nchan, 2 workers", func(b testing.TB) *course { return nchanCourse(b, 2) }},
	}
}

func nchanCourse(b testing.TB, workers int) *course {
	p, addr := startNchan(b, workers)
	filler := bytes.Repeat([]byte{'x'}, frameBytes-len("id: 1790000000:0\ndata: #100 \n\n"))
	return &course{server: p, addr: addr, path: "/watch", mark: "data: #",
		publish: publisher(b, addr, func(n uint64) []byte { return fmt.Appendf(nil, "#%d %s", n, filler) })}
}

func netHTTPCourse(b testing.TB) *course {
	addr := freePort(b)
	p := play(b, "nethttp", "OPONN_YARDSTICK_ADDR="+addr)
	await(b, "http://"+addr+"/")
	filler := bytes.Repeat([]byte{'x'}, frameBytes-len("id: 100\ndata: \n\n"))
	return &course{server: p, addr: addr, path: "/watch", mark: "id: ",
		publish: publisher(b, addr, func(n uint64) []byte { return event(n, filler) })}
}

func oponnCourse(b testing.TB) *course {
	// Each vote is to be seen, so that all have as many frames to deliver.
	p, addr := startOponn(b, "OPONN_FRAME_INTERVAL=20ms")
	s := newService(b, addr, 2000)
	if size := s.frameSize(b); size < frameBytes*9/10 || size > frameBytes*11/10 {
		b.Fatalf("a frame has %d bytes", size)
	}
	return &course{server: p, addr: addr, path: s.watchPath(), mark: "id: ", publish: func(uint64) uint64 { return s.vote(b) }}
}

// publisher posts frames.
func publisher(b testing.TB, addr string, body func(n uint64) []byte) func(uint64) uint64 {
	client := &http.Client{Timeout: patience}
	return func(n uint64) uint64 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+addr+"/publish", bytes.NewReader(body(n)))
		if err != nil {
			b.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode/100 != 2 {
			b.Fatalf("publishing is answered %d", response.StatusCode)
		}
		return n
	}
}

// standing is what was measured of a contender.
type standing struct {
	name     string
	perFrame float64 // µs of the server's processor time
	memory   float64 // KB per idle viewer
	p50, p99 float64 // ms from publishing, over all deliveries
	last     float64 // ms until the last viewer has a frame, median of all frames
	share    float64 // of the deliveries that there could have been
	rate     float64 // frames/s at saturation
}

// BenchmarkStreams has 10,000 viewers of one ballot, ten frames of 1 KB a
// second, and then 1,000 viewers and frames as fast as they go: Oponn, nchan in
// nginx, and a plain handler, one after the other with the same client.
func BenchmarkStreams(b *testing.B) {
	var table []standing
	for _, c := range contenders() {
		var s standing
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			s = standing{name: c.name}
			pacing(b, c, &s)
			saturation(b, c, &s)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(s.perFrame, "µs/frame")
			b.ReportMetric(s.memory, "KB/viewer")
			b.ReportMetric(s.p99, "p99-ms")
			b.ReportMetric(s.rate, "frames/s")
		})
		table = append(table, s)
	}
	compare(table)
	for _, c := range []struct {
		chart
		value func(standing) float64
	}{
		{chart{file: "streams-cpu", title: "processor time of a frame, 10,000 viewers", unit: "µs"}, func(s standing) float64 { return s.perFrame }},
		{chart{file: "streams-memory", title: "memory of an idle viewer", unit: "KB"}, func(s standing) float64 { return s.memory }},
		{chart{file: "streams-p99", title: "from publishing to the viewer, p99", unit: "ms"}, func(s standing) float64 { return s.p99 }},
		{chart{file: "streams-rate", title: "frames at saturation, 1,000 viewers", unit: "per second"}, func(s standing) float64 { return s.rate }},
	} {
		for _, s := range table {
			c.bars = append(c.bars, bar{s.name, c.value(s), s.name == "oponn"})
		}
		c.save(b)
	}
}

// pacing measures at a given pace.
func pacing(b *testing.B, c contender, s *standing) {
	b.Helper()
	run := c.start(b)
	clients := play(b, "viewers")
	defer run.server.stop()
	defer clients.stop()
	var t tidings
	// Whatever a server sets up for its first viewers is not theirs.
	clients.ask(order{Op: "connect", Addr: run.addr, Path: run.path, Count: 100, Mark: run.mark}, &t)
	run.publish(0)
	before := run.server.rss()
	clients.ask(order{Op: "connect", Addr: run.addr, Path: run.path, Count: crowd - 100, Mark: run.mark}, &t)
	if t.Error != "" {
		b.Fatal(t.Error)
	}
	<-time.After(settle)
	s.memory = (run.server.rss() - before) / (crowd - 100)

	published := map[uint64]time.Time{}
	number := uint64(100)
	publish := func() {
		at := time.Now()
		number++
		published[run.publish(number)] = at
	}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for range 10 { // until it is warm
		<-ticker.C
		publish()
	}
	<-ticker.C
	clients.ask(order{Op: "reset"}, &t)
	clear(published)
	used := run.server.cpu()
	for begin := time.Now(); time.Since(begin) < window; <-ticker.C {
		publish()
	}
	<-time.After(pace * 5)
	used = run.server.cpu() - used
	clients.ask(order{Op: "report"}, &t)
	if t.Lost > 0 || t.Backward > 0 {
		b.Errorf("%d streams ended, %d versions fell", t.Lost, t.Backward)
	}
	s.perFrame = float64(used.Microseconds()) / float64(t.Frames)
	s.share = float64(t.Frames) / float64(len(published)*crowd)
	s.p50, s.p99, s.last = latencies(t, published)
}

// latencies returns quantiles over all deliveries, and the median of the last.
func latencies(t tidings, published map[uint64]time.Time) (p50, p99, last float64) {
	var counts []uint64
	var total uint64
	var lasts []float64
	for number, at := range published {
		a := t.Arrivals[number]
		if a == nil {
			continue
		}
		lasts = append(lasts, float64(a.Last-at.UnixNano())/1e6)
		shift := int((a.First - at.UnixNano()) / int64(time.Millisecond))
		for after, n := range a.After {
			for len(counts) <= after+shift {
				counts = append(counts, 0)
			}
			counts[after+shift] += uint64(n)
			total += uint64(n)
		}
	}
	quantile := func(q float64) float64 {
		var sum uint64
		for ms, n := range counts {
			if sum += n; float64(sum) >= q*float64(total) {
				return float64(ms + 1)
			}
		}
		return 0
	}
	slices.Sort(lasts)
	if len(lasts) > 0 {
		last = lasts[len(lasts)/2]
	}
	return quantile(0.5), quantile(0.99), last
}

// saturation measures how many frames a second there can be. Oponn stands
// there with a store that keeps nothing, as the others have none.
func saturation(b *testing.B, c contender, s *standing) {
	b.Helper()
	const viewers, span = 1000, 5 * time.Second
	start := c.start
	if c.name == "oponn" {
		start = startFlood
	}
	run := start(b)
	clients := play(b, "viewers")
	defer run.server.stop()
	defer clients.stop()
	var t tidings
	clients.ask(order{Op: "connect", Addr: run.addr, Path: run.path, Count: viewers, Mark: run.mark}, &t)
	if t.Error != "" {
		b.Fatal(t.Error)
	}
	s.rate = flood(b, run.server, clients, 1, span, func(int) { run.publish(uint64(time.Now().UnixNano())) })
}

// flood publishes without pause and returns the frames a second that arrive.
func flood(b *testing.B, server, clients *process, publishers int, span time.Duration, publish func(publisher int)) float64 {
	b.Helper()
	var t tidings
	end := time.Now().Add(span + time.Second)
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			for time.Now().Before(end) {
				publish(i)
			}
		})
	}
	<-time.After(time.Second)
	clients.ask(order{Op: "reset"}, &t)
	begin := time.Now()
	used, own := server.cpu(), clients.cpu()
	all.Wait()
	took := time.Since(begin)
	clients.ask(order{Op: "report"}, &t)
	b.Logf("%.0f versions/s, server %.2f cores, clients %.2f cores", float64(len(t.Arrivals))/took.Seconds(), float64(server.cpu()-used)/float64(took), float64(clients.cpu()-own)/float64(took))
	if t.Lost > 0 {
		b.Errorf("%d streams ended", t.Lost)
	}
	return float64(t.Frames) / took.Seconds()
}

// compare prints the table.
func compare(table []standing) {
	out := os.Stdout
	fmt.Fprintf(out, "\n%-20s %9s %10s %8s %8s %8s %10s %11s\n", "", "µs/frame", "KB/viewer", "p50 ms", "p99 ms", "last ms", "delivered", "frames/s")
	var oponn standing
	for _, s := range table {
		if s.name == "oponn" {
			oponn = s
		}
		fmt.Fprintf(out, "%-20s %9.2f %10.2f %8.0f %8.0f %8.1f %9.1f%% %11.0f\n", s.name, s.perFrame, s.memory, s.p50, s.p99, s.last, 100*s.share, s.rate)
	}
	fmt.Fprintln(out, "\noponn against        µs/frame  KB/viewer            p99 ms                      frames/s")
	for _, s := range table {
		if s.name != "oponn" && s.perFrame > 0 && s.rate > 0 {
			fmt.Fprintf(out, "%-20s %9.2f %10.2f %17.2f %29.2f\n", s.name, oponn.perFrame/s.perFrame, oponn.memory/s.memory, oponn.p99/s.p99, oponn.rate/s.rate)
		}
	}
	fmt.Fprintln(out)
}
