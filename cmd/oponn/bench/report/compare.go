package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Compare prints two reports side by side, with the ratio of the second to the
// first.
func Compare(w io.Writer, before, after *Report) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n>\tbefore\tafter\tratio\n")
	was := map[string]float64{}
	for _, f := range before.figures() {
		was[f.name] = f.value
	}
	for _, f := range after.figures() {
		old, both := was[f.name]
		ratio := "–"
		if both && old != 0 {
			ratio = fmt.Sprintf("%.2f", f.value/old)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", f.name, number(old), number(f.value), ratio)
	}
	_ = t.Flush() // nothing sensible can be done when telling somebody fails
}

// figure is one number of a report.
type figure struct {
	name  string
	value float64
}

func (r *Report) figures() (all []figure) {
	add := func(name string, value float64) { all = append(all, figure{name, value}) }
	if v := r.Votes; v != nil {
		add("votes acknowledged", float64(v.Acknowledged))
		add("votes/s", v.PerSecond)
		add("refusals", float64(v.RefusedCount()))
		add("votes unknown", float64(v.Unknown))
	}
	if v := r.Viewers; v != nil {
		add("viewers joined", float64(v.Joined))
		add("frames/s", v.PerSecond)
		add("versions skipped", float64(v.Conflated))
	}
	names, latencies := r.latencies()
	for i, l := range latencies {
		add(names[i]+" p50 ms", l.P50)
		add(names[i]+" p99 ms", l.P99)
		add(names[i]+" max ms", l.Max)
	}
	add("lost", float64(r.Checks.Lost))
	add("doubled", float64(r.Checks.Doubled))
	add("stale", float64(r.Checks.Stale))
	add("backward", float64(r.Checks.Backward))
	for i, s := range r.Servers {
		name := fmt.Sprintf("server %d (%s) ", i+1, s.Name)
		add(name+"µs/vote", s.USPerVote)
		add(name+"µs/frame", s.USPerFrame)
		add(name+"MB", float64(s.MemoryEnd)/(1<<20))
		add(name+"KB/viewer", float64(s.BytesPerViewer)/(1<<10))
	}
	add("tester µs/attempt", r.Tester.VotersUS)
	add("tester µs/frame", r.Tester.ViewersUS)
	return all
}

func number(x float64) string {
	if x == float64(int64(x)) {
		return count(int64(x))
	}
	return ms(x)
}
