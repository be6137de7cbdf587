package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/oponn/oponn/cmd/oponn/bench/report"
)

// latency is a distribution of so many times, evenly up to the given one.
func latency(n int, most time.Duration) report.Latency {
	h := hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	for i := range n {
		_ = h.RecordValue(most.Microseconds() * int64(i+1) / int64(n))
	}
	return *report.NewLatency(h)
}

// full is a report in which nothing is missing.
func full() *report.Report {
	screen := latency(100_000, 300*time.Millisecond)
	r := &report.Report{
		Format: 1, Version: "1.0 <&>", Started: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Machine: report.Machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26"}, Plan: map[string]any{"viewers": 10.0}, Seconds: 3,
		Votes: &report.Votes{Begun: 1234567, Acknowledged: 1234500, Unknown: 7, GivenUp: 60, Attempts: 1234600, PerSecond: 411500,
			Refused: map[string]int64{"503 busy": 40, "429 <b>": 3}, Acknowledgement: latency(10_000, 50*time.Millisecond)},
		Viewers:  &report.Viewers{Wanted: 10, Joined: 9, Frames: 1000, PerSecond: 333, FirstFrame: latency(9, 20*time.Millisecond)},
		Screen:   &screen,
		Checks:   report.Checks{Lost: 1, Doubled: 2, Stale: 3, Backward: 4},
		Servers:  []report.Server{{PID: 77, Name: "oponn", CPUSeconds: 2.5, USPerVote: 12.5, MemoryEnd: 100 << 20}},
		Series:   []report.Point{{Second: 0, Acknowledged: 10, P50: 1, P99: 2}, {Second: 1, Acknowledged: 20, Refused: 3, P50: 1, P99: 2}, {Second: 2, Frames: 5}},
		Warnings: []string{"the tester <was> the limit"},
	}
	return r
}

func TestReport_SurvivesJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := full().Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	got, err := report.Read(&b)
	if err != nil || !reflect.DeepEqual(got, full()) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, full())
	}
	for _, name := range []string{`"acknowledged"`, `"per_second"`, `"p999_ms"`, `"lost"`, `"doubled"`, `"stale"`, `"backward"`, `"us_per_vote"`, `"bytes_per_viewer"`, `"series"`} {
		if !strings.Contains(text, name) {
			t.Errorf("no field %s", name)
		}
	}
	for _, bad := range []string{"", "[]", `{"format":2}`, "{}"} {
		if _, err := report.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken for a report", bad)
		}
	}
}

// TestReport_Page wants well-formed markup that needs nothing from elsewhere.
func TestReport_Page(t *testing.T) {
	t.Parallel()
	bare := &report.Report{Format: 1, Votes: &report.Votes{}}
	for name, r := range map[string]*report.Report{"Full": full(), "Bare": bare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := r.WriteHTML(&b); err != nil {
				t.Fatal(err)
			}
			elements := elements(t, b.String())
			for _, name := range []string{"script", "link", "img", "iframe"} {
				if elements[name] > 0 {
					t.Errorf("the page has %s elements", name)
				}
			}
			for _, bad := range []string{"http:", "https:", "url(", "@import", "ZgotmplZ", "NaN", "Inf"} {
				if strings.Contains(b.String(), bad) {
					t.Errorf("the page contains %q", bad)
				}
			}
			if name == "Full" && (elements["section"] != 4+5 || elements["path"] < 10 || elements["table"] != 5) {
				t.Errorf("elements %v", elements)
			}
		})
	}
}

// elements counts the elements of a page.
func elements(t *testing.T, page string) map[string]int {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	found := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local]++
		}
	}
}

func TestReport_Table(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	full().Print(&b)
	for _, want := range []string{"1,234,500", "411,500/s", "refused: 503 busy", "vote to acknowledgement", "vote to screen", "p99.9", "oponn (77)", "the tester <was> the limit"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestCompare_TellsTheRatio(t *testing.T) {
	t.Parallel()
	after := full()
	after.Votes.PerSecond *= 2
	after.Screen = nil
	var b bytes.Buffer
	report.Compare(&b, full(), after)
	rows := map[string][]string{}
	for line := range strings.Lines(b.String()) {
		if words := strings.Fields(line); len(words) > 3 {
			rows[words[0]] = words[1:]
		}
	}
	if got := rows["votes/s"]; !slices.Equal(got, []string{"411,500", "823,000", "2.00"}) {
		t.Errorf("votes/s: %v", got)
	}
	if got := rows["lost"]; !slices.Equal(got, []string{"1", "1", "1.00"}) {
		t.Errorf("lost: %v", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	none := report.Limits{Lost: -1, Refused: -1}
	if failures := none.Check(full()); len(failures) > 0 {
		t.Errorf("without limits: %v", failures)
	}
	for name, test := range map[string]struct {
		change func(*report.Limits)
		fails  int
	}{
		"P99":          {change: func(l *report.Limits) { l.P99 = 49 * time.Millisecond }, fails: 1},
		"P99Held":      {change: func(l *report.Limits) { l.P99 = 50 * time.Millisecond }},
		"Screen":       {change: func(l *report.Limits) { l.Screen = 200 * time.Millisecond }, fails: 1},
		"ScreenHeld":   {change: func(l *report.Limits) { l.Screen = 300 * time.Millisecond }},
		"Lost":         {change: func(l *report.Limits) { l.Lost = 0 }, fails: 2}, // and doubled
		"OneLost":      {change: func(l *report.Limits) { l.Lost = 1 }, fails: 1},
		"LostHeld":     {change: func(l *report.Limits) { l.Lost = 2 }},
		"Refused":      {change: func(l *report.Limits) { l.Refused = 42 }, fails: 1},
		"RefusedHeld":  {change: func(l *report.Limits) { l.Refused = 43 }},
		"Rate":         {change: func(l *report.Limits) { l.Rate = 500_000 }, fails: 1},
		"RateHeld":     {change: func(l *report.Limits) { l.Rate = 400_000 }},
		"EverythingAt": {change: func(l *report.Limits) { *l = report.Limits{P99: 1, Screen: 1, Rate: 1e9} }, fails: 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := none
			test.change(&l)
			if failures := l.Check(full()); len(failures) != test.fails {
				t.Errorf("%d failures, want %d: %v", len(failures), test.fails, failures)
			}
		})
	}
	if failures := (report.Limits{P99: time.Second, Lost: -1, Refused: -1}).Check(&report.Report{}); len(failures) != 1 {
		t.Errorf("what was never measured is within its limit: %v", failures)
	}
}
