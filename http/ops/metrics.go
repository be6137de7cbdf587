package ops

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/oponn/oponn"
)

// Metrics is the oponn.Meter of a process: parts count through it, and it
// shows what they have counted to Prometheus, and to the process itself (see
// Read). It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	mu     sync.Mutex
	series map[string][]*series // by name
}

var _ oponn.Meter = (*Metrics)(nil)

// series is one instrument.
type series struct {
	oponn.Metric
	metric prometheus.Metric
	// instrument is what the parts hold, or the source where they are asked.
	instrument any
}

// source is where a value is kept.
type source struct {
	read atomic.Pointer[func() float64]
}

func (s *source) value() float64 { return (*s.read.Load())() }

// NewMetrics returns metrics that know the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), series: make(map[string][]*series)}
	m.registry.MustRegister(
		// Those of MemStats have a sum and a level of the same name in
		// OpenMetrics, which it forbids.
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled(),
			collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsMemory, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Counter implements oponn.Meter. Like the other instruments it panics where
// the metric is not one that can be: a fault of whoever wrote it.
func (m *Metrics) Counter(what oponn.Metric) oponn.Counter {
	made := m.instrument(what, func() (prometheus.Collector, any) {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: what.Name, Help: what.Help, ConstLabels: labels(what)})
		return c, counter{c}
	})
	c, ok := made.(counter)
	if !ok {
		panic("metric " + what.Name + " is not a counter")
	}
	return c
}

// Histogram implements oponn.Meter.
func (m *Metrics) Histogram(what oponn.Metric, bounds []float64) oponn.Histogram {
	made := m.instrument(what, func() (prometheus.Collector, any) {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: what.Name, Help: what.Help,
			ConstLabels: labels(what), Buckets: bounds})
		return h, h
	})
	h, ok := made.(prometheus.Histogram)
	if !ok {
		panic("metric " + what.Name + " is not a histogram")
	}
	return h
}

// Total implements oponn.Meter.
func (m *Metrics) Total(what oponn.Metric, read func() float64) {
	m.source(what, read, func(value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: what.Name, Help: what.Help, ConstLabels: labels(what)}, value)
	})
}

// Gauge implements oponn.Meter.
func (m *Metrics) Gauge(what oponn.Metric, read func() float64) {
	m.source(what, read, func(value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: what.Name, Help: what.Help, ConstLabels: labels(what)}, value)
	})
}

// counter is a prometheus.Counter that counts whole things.
type counter struct{ prometheus.Counter }

// Add implements oponn.Counter.
func (c counter) Add(n int) { c.Counter.Add(float64(n)) }

func labels(m oponn.Metric) prometheus.Labels { return prometheus.Labels(m.Labels) }

// instrument makes what the parts hold, or finds it.
func (m *Metrics) instrument(what oponn.Metric, instrument func() (prometheus.Collector, any)) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.series[what.Name] {
		if maps.Equal(s.Labels, what.Labels) {
			return s.instrument
		}
	}
	collector, made := instrument()
	m.add(what, collector, made)
	return made
}

// source makes what is read where it is kept, or has it be read elsewhere.
func (m *Metrics) source(what oponn.Metric, read func() float64, collect func(value func() float64) prometheus.Collector) {
	made := m.instrument(what, func() (prometheus.Collector, any) {
		s := &source{}
		s.read.Store(&read)
		return collect(s.value), s
	})
	s, ok := made.(*source)
	if !ok {
		panic("metric " + what.Name + " is not read")
	}
	s.read.Store(&read)
}

func (m *Metrics) add(what oponn.Metric, collector prometheus.Collector, instrument any) {
	if err := m.registry.Register(collector); err != nil {
		panic(fmt.Sprintf("metric %s: %v", what.Name, err))
	}
	metric, ok := collector.(prometheus.Metric)
	if !ok {
		panic("metric " + what.Name + " can't be read")
	}
	what.Labels = maps.Clone(what.Labels)
	m.series[what.Name] = append(m.series[what.Name], &series{Metric: what, metric: metric, instrument: instrument})
}

// Names returns the names of what the parts count, in order.
func (m *Metrics) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.series))
}

// maxScrapes is how many may be answered at once.
const maxScrapes = 4

// handler answers scrapes: in the text format of Prometheus, or as OpenMetrics
// to who asks for that.
func (m *Metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: maxScrapes,
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	})
}
