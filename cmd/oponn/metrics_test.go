package main_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestMetrics_AsDocumented reads what servers of both kinds count after a busy
// while, and holds it to docs/metrics.md: names, types and labels.
func TestMetrics_AsDocumented(t *testing.T) {
	c := newCluster(t)
	first, second := c.serve(t), c.serve(t)
	alone := serve(t, filepath.Join(t.TempDir(), "data"))
	var ballots []string
	for _, s := range []*server{first, second, alone} {
		ballots = append(ballots, createBallot(t, s, "Counted?", "yes", "no"))
	}
	far := startViewer(t, second, ballots[0])
	far.await(t, 1)
	busy := startCrowd(t, first, ballots[:2])
	eventually(t, "a vote of the other instance on a screen", func() bool {
		return sum(scrape(t, second), "oponn_vote_to_screen_seconds", "where", "remote") > 0
	})
	castVotes(t, alone, ballots[2], 3)
	fetch(t, first.url+"/nothing")

	documented := documentedMetrics(t)
	counted := make(map[string]string)
	for _, s := range []*server{first, second, alone} {
		for name, family := range scrape(t, s) {
			if strings.HasPrefix(name, "oponn_") {
				counted[name] = describe(family)
			}
			wantNoIDs(t, family)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		if documented[name] != counted[name] {
			t.Errorf("%s is a %s; docs/metrics.md says: %s", name, counted[name], documented[name])
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/metrics.md has %s, which nobody counts", name)
	}
	wantMoved(t, scrape(t, first))
	// The states are read one after the other: a connection that goes from one
	// to another meanwhile may be in none.
	eventually(t, "a connection to Postgres in some state", func() bool {
		return sum(scrape(t, first), "oponn_postgres_connections", "pool", "writers") > 0
	})
	wantOpenMetrics(t, first)
	first.stop(t)
	busy.voting.Wait()
	second.stop(t)
	alone.stop(t)
}

// wantMoved wants that what happened was counted, by each part of a server.
func wantMoved(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	for _, what := range [][]string{
		{"oponn_votes_total", "outcome", "accepted"}, {"oponn_writer_batch_votes"},
		{"oponn_store_transactions_total"}, {"oponn_store_transaction_step_seconds", "step", "decide"}, {"oponn_store_transaction_step_seconds", "step", "commit"},
		{"oponn_bus_published_total", "result", "done"}, {"oponn_bus_publish_seconds"}, {"oponn_relay_notices_total"}, {"oponn_bus_connects_total"},
		{"oponn_postgres_connections_limit", "pool", "readers"}, {"oponn_postgres_connects_total", "pool", "writers"},
		{"oponn_postgres_acquires_total", "pool", "readers"}, {"oponn_redis_connections"}, {"oponn_redis_pool_requests_total", "result", "hit"},
		{"oponn_kms_call_seconds", "operation", "GenerateDataKey", "result", "ok"}, {"oponn_kms_call_seconds", "operation", "Decrypt", "result", "ok"},
		{"oponn_kms_breaker_state", "state", "closed"}, {"oponn_keys_cached"}, {"oponn_keys_cache_requests_total", "result", "hit"},
		{"oponn_http_requests_total", "route", "/api/v1/ballots/:id/votes", "status", "2xx"},
		{"oponn_http_requests_total", "route", "none", "status", "4xx"}, {"oponn_http_request_seconds", "route", "/api/v1/ballots/:id/votes"},
		{"oponn_http_errors_total", "code", "not_found"}, {"oponn_build_info"}, {"oponn_start_time_seconds"},
		{"go_goroutines"}, {"process_cpu_seconds_total"}, {"process_max_fds"},
	} {
		if sum(families, what[0], what[1:]...) <= 0 {
			t.Errorf("nothing of %v was counted", what)
		}
	}
}

// scrape reads a server's metrics as Prometheus does, and has them checked by
// its linter.
func scrape(t *testing.T, s *server) map[string]*dto.MetricFamily {
	t.Helper()
	status, text := fetch(t, s.ops+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("metrics: %d %s", status, text)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("lint: %s: %s", p.Metric, p.Text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// sum adds up a metric's values that have the labels; a histogram's are how
// many values it has seen.
func sum(families map[string]*dto.MetricFamily, name string, labels ...string) (total float64) {
	family := families[name]
	for _, m := range family.GetMetric() {
		all := true
		for i := 0; i+1 < len(labels); i += 2 {
			all = all && slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == labels[i] && l.GetValue() == labels[i+1] })
		}
		if all {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return total
}

// describe returns a metric's type and the names of its labels.
func describe(family *dto.MetricFamily) string {
	var labels []string
	for _, l := range family.Metric[0].Label {
		labels = append(labels, l.GetName())
	}
	slices.Sort(labels)
	return fmt.Sprint(strings.ToLower(family.GetType().String()), " by ", labels)
}

var (
	metricRow = regexp.MustCompile("(?m)^\\| `(oponn_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*)\\| [^|]+\\|$")
	labelName = regexp.MustCompile("`([a-z_]+)`")
	anyID     = regexp.MustCompile(`^[A-Za-z0-9_-]{22,}$`)
)

// documentedMetrics reads docs/metrics.md.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for _, label := range labelName.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, label[1])
		}
		slices.Sort(labels)
		if found[row[1]] != "" {
			t.Errorf("docs/metrics.md has %s twice", row[1])
		}
		found[row[1]] = fmt.Sprint(row[2], " by ", labels)
	}
	return found
}

// wantNoIDs wants labels of words alone: an id would make a series of its own
// for each ballot, and tell of it.
func wantNoIDs(t *testing.T, family *dto.MetricFamily) {
	t.Helper()
	if family.GetName() == "oponn_build_info" {
		return
	}
	for _, m := range family.Metric {
		for _, l := range m.Label {
			_, number := strconv.ParseFloat(l.GetValue(), 64)
			if anyID.MatchString(l.GetValue()) && number != nil {
				t.Errorf("%s has a label %s=%q", family.GetName(), l.GetName(), l.GetValue())
			}
		}
	}
}

var (
	openSample = regexp.MustCompile(`^([a-z_:][a-z0-9_:]*)(\{([a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*)?\})? ([-+0-9.e]+|[-+]?Inf|NaN)$`)
	// openSuffixes are what the names of samples end in, by type.
	openSuffixes = map[string][]string{"counter": {"_total", "_created"}, "gauge": {""}, "summary": {"", "_sum", "_count", "_created"},
		"histogram": {"_bucket", "_sum", "_count", "_created"}, "info": {"_info"}, "unknown": {""}}
)

// wantOpenMetrics asks a server for OpenMetrics and wants what that is: one
// family after the other, each with its type, and an end.
func wantOpenMetrics(t *testing.T, s *server) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.ops+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if kind := response.Header.Get("Content-Type"); err != nil || !strings.HasPrefix(kind, "application/openmetrics-text; version=1.0.0") {
		t.Fatalf("metrics came as %s, %v", kind, err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[len(lines)-1] != "# EOF" {
		t.Errorf("the last line is %q", lines[len(lines)-1])
	}
	types, family := make(map[string]string), ""
	for _, line := range lines[:len(lines)-1] {
		if fields := strings.Fields(line); fields[0] == "#" {
			if fields[1] == "TYPE" && types[fields[2]] != "" {
				t.Errorf("%s comes twice", fields[2])
			}
			if fields[1] == "TYPE" {
				types[fields[2]] = fields[3]
			}
			family = fields[2]
			continue
		}
		sample := openSample.FindStringSubmatch(line)
		if sample == nil || !slices.Contains(openSuffixes[types[family]], strings.TrimPrefix(sample[1], family)) {
			t.Errorf("in %s, a %s: %s", family, types[family], line)
		}
	}
	if types["oponn_votes"] != "counter" || len(types) < 50 {
		t.Errorf("%d families; votes are a %q", len(types), types["oponn_votes"])
	}
}
