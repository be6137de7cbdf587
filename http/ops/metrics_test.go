package ops_test

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/ops"
)

// scrape returns what a server shows at /metrics.
func scrape(t *testing.T, m *ops.Metrics, header ...string) (body, contentType string) {
	t.Helper()
	w := get(ops.New(ops.Config{Metrics: m}), "http://localhost/metrics", header...)
	if w.Code != http.StatusOK {
		t.Fatalf("metrics: %d %s", w.Code, w.Body)
	}
	return w.Body.String(), w.Header().Get("Content-Type")
}

func TestMetrics_ShowWhatWasCounted(t *testing.T) {
	m := ops.NewMetrics()
	m.Counter(oponn.Metric{Name: "oponn_things_total", Help: "Things.", Labels: oponn.Labels{"kind": "good"}}).Add(3)
	m.Counter(oponn.Metric{Name: "oponn_things_total", Help: "Things.", Labels: oponn.Labels{"kind": "bad"}}).Add(1)
	m.Total(oponn.Metric{Name: "oponn_others_total", Help: "Others."}, func() float64 { return 7 })
	m.Gauge(oponn.Metric{Name: "oponn_open", Help: "Open."}, func() float64 { return 2 })
	h := m.Histogram(oponn.Metric{Name: "oponn_wait_seconds", Help: "Waiting."}, []float64{0.1, 1})
	h.Observe(0.05)
	h.Observe(5)
	text, kind := scrape(t, m)
	if !strings.HasPrefix(kind, "text/plain") {
		t.Errorf("content type %q", kind)
	}
	for _, line := range []string{
		`oponn_things_total{kind="good"} 3`, `oponn_things_total{kind="bad"} 1`, `oponn_others_total 7`, `oponn_open 2`,
		`oponn_wait_seconds_bucket{le="0.1"} 1`, `oponn_wait_seconds_bucket{le="+Inf"} 2`, `oponn_wait_seconds_sum 5.05`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds", "process_open_fds"} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("nothing of %s", name)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestMetrics_OpenMetrics(t *testing.T) {
	m := ops.NewMetrics()
	m.Counter(oponn.Metric{Name: "oponn_things_total", Help: "Things."}).Add(3)
	text, kind := scrape(t, m, "Accept", "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(kind, "application/openmetrics-text") {
		t.Errorf("content type %q", kind)
	}
	for _, line := range []string{"# TYPE oponn_things counter", "oponn_things_total 3.0"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if !strings.HasSuffix(text, "\n# EOF\n") {
		t.Error("no end")
	}
}

func TestMetrics_MadeAgain(t *testing.T) {
	m := ops.NewMetrics()
	what := oponn.Metric{Name: "oponn_things_total", Help: "Things."}
	m.Counter(what).Add(1)
	m.Counter(what).Add(1)
	if got := m.Read(what.Name).Value(what.Name); got != 2 {
		t.Errorf("%v, want 2: the same counter", got)
	}
	level := oponn.Metric{Name: "oponn_level", Help: "Level."}
	m.Gauge(level, func() float64 { return 1 })
	m.Gauge(level, func() float64 { return 2 })
	if got := m.Read(level.Name).Value(level.Name); got != 2 {
		t.Errorf("%v, want 2: the newer source", got)
	}
	for name, fault := range map[string]func(){
		"AnotherKind":    func() { m.Histogram(what, nil) },
		"AnotherHelp":    func() { m.Counter(oponn.Metric{Name: what.Name, Help: "?", Labels: oponn.Labels{"a": "b"}}) },
		"AnotherLabel":   func() { m.Counter(oponn.Metric{Name: what.Name, Help: what.Help, Labels: oponn.Labels{"a": "b"}}) },
		"ReadAndWritten": func() { m.Gauge(what, func() float64 { return 0 }) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			fault()
		})
	}
}

func TestMetrics_Read(t *testing.T) {
	m := ops.NewMetrics()
	for kind, n := range map[string]int{"good": 3, "bad": 1} {
		m.Counter(oponn.Metric{Name: "oponn_things_total", Help: "Things.", Labels: oponn.Labels{"kind": kind}}).Add(n)
	}
	first := m.Histogram(oponn.Metric{Name: "oponn_wait_seconds", Help: "Waiting.", Labels: oponn.Labels{"at": "door"}}, []float64{1, 2, 4})
	second := m.Histogram(oponn.Metric{Name: "oponn_wait_seconds", Help: "Waiting.", Labels: oponn.Labels{"at": "bar"}}, []float64{1, 2, 4})
	first.Observe(0.5)
	before := m.Read("oponn_wait_seconds")
	for range 10 {
		first.Observe(1.5)
		second.Observe(3)
	}
	r := m.Read("oponn_things_total", "oponn_wait_seconds", "oponn_unknown")
	if got := r.Value("oponn_things_total"); got != 4 {
		t.Errorf("all things: %v", got)
	}
	if got := r.Value("oponn_things_total", "kind", "good"); got != 3 {
		t.Errorf("good things: %v", got)
	}
	if got := r.By("oponn_things_total", "kind"); got["bad"] != 1 || len(got) != 2 {
		t.Errorf("things by kind: %v", got)
	}
	if got := r.Value("oponn_unknown"); got != 0 {
		t.Errorf("nothing: %v", got)
	}
	since := r.Values("oponn_wait_seconds").Since(before.Values("oponn_wait_seconds"))
	if since.Count != 20 || since.Mean() != 2.25 {
		t.Errorf("%d values since, mean %v", since.Count, since.Mean())
	}
	for q, want := range map[float64]float64{0.5: 2, 0.25: 1.5, 0.75: 3} {
		if got := since.Quantile(q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	second.Observe(100)
	if got := m.Read("oponn_wait_seconds").Values("oponn_wait_seconds", "at", "bar").Quantile(1); got != 4 {
		t.Errorf("above all bounds: %v, want the last", got)
	}
	if got := (ops.Distribution{}).Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
