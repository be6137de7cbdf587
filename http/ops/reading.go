package ops

import (
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oponn/oponn"
)

// Reading is what some metrics stood at, at a moment.
type Reading struct {
	At     time.Time
	series map[string][]reading
}

// reading is what one instrument stood at.
type reading struct {
	labels oponn.Labels
	value  float64
	values Distribution
}

// Read reads metrics by their names, without asking for any others: a few
// microseconds each. Names that are not known read as nothing.
func (m *Metrics) Read(names ...string) Reading {
	r := Reading{At: time.Now(), series: make(map[string][]reading, len(names))}
	for _, name := range names {
		for _, s := range m.of(name) {
			r.series[name] = append(r.series[name], s.read())
		}
	}
	return r
}

// of returns the instruments of a name.
func (m *Metrics) of(name string) []*series {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.series[name])
}

func (s *series) read() reading {
	var d dto.Metric
	r := reading{labels: s.Labels}
	if s.metric.Write(&d) != nil { // only for labels that are no UTF-8
		return r
	}
	switch {
	case d.Counter != nil:
		r.value = d.Counter.GetValue()
	case d.Gauge != nil:
		r.value = d.Gauge.GetValue()
	case d.Histogram != nil:
		r.value = float64(d.Histogram.GetSampleCount())
		r.values = Distribution{Count: d.Histogram.GetSampleCount(), Sum: d.Histogram.GetSampleSum()}
		for _, b := range d.Histogram.Bucket {
			r.values.Bounds = append(r.values.Bounds, b.GetUpperBound())
			r.values.Counts = append(r.values.Counts, b.GetCumulativeCount())
		}
	}
	return r
}

// Value returns the sum of a metric's instruments that have the labels, given
// as name, value, name, value; for a histogram, how many values there were.
func (r Reading) Value(name string, labels ...string) (sum float64) {
	for _, s := range r.series[name] {
		if s.has(labels) {
			sum += s.value
		}
	}
	return sum
}

// By returns the sums of a metric's instruments by the values of one label.
func (r Reading) By(name, label string) map[string]float64 {
	sums := make(map[string]float64)
	for _, s := range r.series[name] {
		sums[s.labels[label]] += s.value
	}
	return sums
}

// Values returns how the values of a histogram's instruments that have the
// labels are distributed.
func (r Reading) Values(name string, labels ...string) (all Distribution) {
	for _, s := range r.series[name] {
		if s.has(labels) {
			all = all.and(s.values)
		}
	}
	return all
}

func (r reading) has(labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if r.labels[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// Distribution is how values are distributed: Counts are how many were at most
// as large as each of the Bounds, which rise; Count is all.
type Distribution struct {
	Count  uint64
	Sum    float64
	Bounds []float64
	Counts []uint64
}

// and adds the values of another one with the same bounds.
func (d Distribution) and(other Distribution) Distribution {
	if len(d.Bounds) == 0 {
		return other
	}
	sum := Distribution{Count: d.Count + other.Count, Sum: d.Sum + other.Sum, Bounds: d.Bounds, Counts: slices.Clone(d.Counts)}
	for i := range min(len(sum.Counts), len(other.Counts)) {
		sum.Counts[i] += other.Counts[i]
	}
	return sum
}

// Since returns the values that have come since an earlier reading of the same
// metric.
func (d Distribution) Since(earlier Distribution) Distribution {
	if len(earlier.Bounds) != len(d.Bounds) {
		return d
	}
	since := Distribution{Count: d.Count - earlier.Count, Sum: d.Sum - earlier.Sum, Bounds: d.Bounds, Counts: slices.Clone(d.Counts)}
	for i := range since.Counts {
		since.Counts[i] -= earlier.Counts[i]
	}
	return since
}

// Mean returns the mean of the values, or 0 for none.
func (d Distribution) Mean() float64 {
	if d.Count == 0 {
		return 0
	}
	return d.Sum / float64(d.Count)
}

// Quantile returns about the value below which a part of all are, from 0 to 1:
// between two bounds, values are taken to be spread evenly, as Prometheus does.
// It is the last bound where the values are above all, and 0 for no values.
func (d Distribution) Quantile(q float64) float64 {
	if d.Count == 0 || len(d.Bounds) == 0 {
		return 0
	}
	rank := q * float64(d.Count)
	i, _ := slices.BinarySearchFunc(d.Counts, rank, func(n uint64, rank float64) int {
		if float64(n) < rank {
			return -1
		}
		return 1
	})
	last := len(d.Bounds) - 1
	if i > last {
		if math.IsInf(d.Bounds[last], 1) && last > 0 {
			last--
		}
		return d.Bounds[last]
	}
	below, from := uint64(0), 0.0
	if i > 0 {
		below, from = d.Counts[i-1], d.Bounds[i-1]
	}
	if d.Counts[i] == below {
		return d.Bounds[i]
	}
	return from + (d.Bounds[i]-from)*(rank-float64(below))/float64(d.Counts[i]-below)
}
