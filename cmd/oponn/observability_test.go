package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const observability = root + "/docs/observability"

// promtool runs Prometheus' own checker where the rules are.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	check := exec.CommandContext(t.Context(), "promtool", args...)
	check.Dir, check.Stdin = observability, strings.NewReader(stdin)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestPrometheus_Rules has promtool read the rules, and try each alert.
func TestPrometheus_Rules(t *testing.T) {
	promtool(t, "", "check", "rules", "recording.yml", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
	promtool(t, "", "check", "config", "--syntax-only", "prometheus.yml")
	tried := readRoot(t, "docs/observability/alerts_test.yml")
	explained := readRoot(t, "docs/operations.md")
	for _, name := range alertNames(t) {
		if !regexp.MustCompile(`(?m)alertname: ` + name + `\n(.*\n){1,2} +exp_alerts:\n`).MatchString(tried) {
			t.Errorf("nobody tries whether %s fires", name)
		}
		if !strings.Contains(explained, "\n### "+name+"\n") {
			t.Errorf("docs/operations.md doesn't say what %s means", name)
		}
	}
}

func alertNames(t *testing.T) (names []string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`- alert: (\w+)\n`).FindAllStringSubmatch(readRoot(t, "docs/observability/alerts.yml"), -1) {
		names = append(names, found[1])
	}
	if len(names) < 5 {
		t.Fatalf("only %d alerts were found", len(names))
	}
	return names
}

// TestPrometheus_Scrape has promtool read what a busy server shows.
func TestPrometheus_Scrape(t *testing.T) {
	s := serve(t, t.TempDir())
	ballot := createBallot(t, s, "Measured?", "yes", "no")
	watcher := startViewer(t, s, ballot)
	castVotes(t, s, ballot, 3)
	watcher.await(t, 2)
	status, text := fetch(t, s.ops+"/metrics")
	if status != 200 {
		t.Fatalf("/metrics answers %d", status)
	}
	promtool(t, text, "check", "metrics")
}

// dashboard is what is looked at of Grafana's file.
type dashboard struct {
	Title, UID string
	Panels     []panel
}

type panel struct {
	Type, Title, Description string
	Targets                  []struct{ Expr, LegendFormat string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	GridPos                  struct{ X, Y, W, H int }
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGrafana_Dashboard reads the dashboard: each panel says what it shows and
// in which unit, none covers another, and Prometheus understands its queries.
func TestGrafana_Dashboard(t *testing.T) {
	d := readDashboard(t)
	var rules bytes.Buffer
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	taken := make(map[[2]int]string)
	for i, p := range d.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Errorf("%q covers %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d says too little: %+v", i, p)
		}
		for j, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*", "$job", ".*").Replace(target.Expr)
			fmt.Fprintf(&rules, "  - record: panel_%d_%d\n    expr: %q\n", i, j, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, rules.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", file)
}

// TestObserved_MetricsExist looks for what rules and dashboard ask of the
// program among the metrics that are documented, which are those there are.
func TestObserved_MetricsExist(t *testing.T) {
	documented := readRoot(t, "docs/metrics.md")
	asked := readRoot(t, "docs/observability/recording.yml") + readRoot(t, "docs/observability/alerts.yml") + readRoot(t, "docs/observability/dashboard.json")
	names := regexp.MustCompile(`\boponn_[a-z_]+\b`).FindAllString(regexp.MustCompile(`\b[a-z_]+:[a-z_]+:[a-z0-9_]+\b`).ReplaceAllString(asked, ""), -1)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !strings.Contains(documented, "`"+name+"`") {
			t.Errorf("%s is asked for, but there is no such metric", name)
		}
	}
}
