package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the page shows.
type page struct {
	Started, Lead, Where string
	Warnings             []string
	Cards                []card
	Plots                []plot
	Tables               []table
	Plan                 string
}

// card is one number that matters.
type card struct{ Name, Value, Unit, Class string }

type table struct {
	Title string
	Rows  [][]string
}

// WriteHTML writes the report as one page, which needs nothing else.
func (r *Report) WriteHTML(w io.Writer) error {
	plan, err := json.MarshalIndent(r.Plan, "", "  ")
	if err != nil {
		return err
	}
	p := page{
		Started: r.Started.Format(time.DateTime), Lead: r.lead(), Warnings: r.Warnings, Cards: r.cards(), Plots: r.plots(), Plan: string(plan),
		Where: fmt.Sprintf("%s · %d CPUs, %s/%s, %s · oponn %s", r.Started.Format(time.DateTime+" MST"), r.Machine.CPUs, r.Machine.OS, r.Machine.Arch, r.Machine.Go, r.Version),
	}
	for _, s := range r.sections() {
		p.Tables = append(p.Tables, table{s.title, s.even()})
	}
	return pageTemplate.Execute(w, p)
}

// lead says in a line what was done.
func (r *Report) lead() string {
	var said []string
	if v := r.Votes; v != nil {
		said = append(said, fmt.Sprintf("%s votes in %.1f s", count(v.Acknowledged), r.Seconds))
	}
	if v := r.Viewers; v != nil {
		said = append(said, fmt.Sprintf("%s viewers", count(int64(v.Joined))))
	}
	return strings.Join(said, ", ")
}

func (r *Report) cards() (cards []card) {
	add := func(name, value, unit, class string) { cards = append(cards, card{name, value, unit, class}) }
	// Of these, zero is good and everything else is bad.
	wanted := func(name string, n int64) {
		class := "good"
		if n > 0 {
			class = "bad"
		}
		add(name, count(n), "", class)
	}
	if v := r.Votes; v != nil {
		add("acknowledged", count(int64(v.PerSecond+0.5)), "votes/s", "")
		add("vote to acknowledgement, p99", ms(v.Acknowledgement.P99), "ms", "")
	}
	if r.Screen != nil {
		add("vote to screen, p99", ms(r.Screen.P99), "ms", "")
	}
	if v := r.Viewers; v != nil {
		add("frames", count(int64(v.PerSecond+0.5)), "/s", "")
	}
	if r.Votes != nil {
		wanted("lost", r.Checks.Lost)
		wanted("doubled", r.Checks.Doubled)
	}
	if r.Viewers != nil {
		wanted("stale or backward", r.Checks.Stale+r.Checks.Backward)
	}
	return cards
}

func (r *Report) plots() (plots []plot) {
	if p, ok := r.curves(); ok {
		plots = append(plots, p)
	}
	// What is left over in the last second that began is no rate.
	points := r.Series[:min(len(r.Series), int(r.Seconds+0.05))]
	if len(points) < 2 {
		return plots
	}
	if r.Votes != nil {
		rates := []column{{"acknowledged", func(p Point) float64 { return float64(p.Acknowledged) }}}
		if r.Votes.RefusedCount() > 0 {
			rates = append(rates, column{"refused", func(p Point) float64 { return float64(p.Refused) }})
		}
		plots = append(plots, overTime("votes a second", points, rates...),
			overTime("vote to acknowledgement over time, in ms", points, column{"p50", func(p Point) float64 { return p.P50 }}, column{"p99", func(p Point) float64 { return p.P99 }}))
	}
	if r.Viewers != nil {
		plots = append(plots, overTime("frames a second", points, column{"frames", func(p Point) float64 { return float64(p.Frames) }}))
	}
	return plots
}

// curves draws the distributions of latencies: to the right by the number of
// nines, upwards by a logarithm.
func (r *Report) curves() (plot, bool) {
	names, latencies := r.latencies()
	var all []series
	least, most, nines := math.Inf(1), 0.0, 2.0
	for i, l := range latencies {
		s := series{name: names[i]}
		for _, q := range l.Curve {
			if q.Time <= 0 {
				continue
			}
			s.x, s.y = append(s.x, ninesOf(q.Share)), append(s.y, q.Time)
			s.texts = append(s.texts, fmt.Sprintf("%s: %s %% within %s ms", names[i], strconv.FormatFloat(math.Round(q.Share*1e8)/1e6, 'f', -1, 64), ms(q.Time)))
			least, most, nines = math.Min(least, q.Time), math.Max(most, q.Time), math.Max(nines, ninesOf(q.Share))
		}
		if len(s.x) > 1 {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return plot{}, false
	}
	y, ys := logarithmic(math.Max(least, most/1e5), most)
	x := axis{from: 0, to: nines, start: plotLeft, end: plotRight}
	xs := []mark{{0, "0 %"}, {ninesOf(0.5), "50 %"}}
	for n := 1; float64(n) <= nines+1e-9; n++ {
		xs = append(xs, mark{float64(n), strconv.FormatFloat(math.Round((1-math.Pow(10, -float64(n)))*1e8)/1e6, 'f', -1, 64) + " %"})
	}
	return draw("latency by share of all, in ms", x, y, xs, ys, all), true
}

// ninesOf returns how many nines a share has: 1 for 90 %, 2 for 99 %.
func ninesOf(share float64) float64 { return -math.Log10(1 - share) }

// column is one value of every second.
type column struct {
	name string
	of   func(Point) float64
}

func overTime(title string, points []Point, columns ...column) plot {
	var all []series
	most := 0.0
	for i, c := range columns {
		s := series{name: c.name, filled: i == 0}
		for _, p := range points {
			value := c.of(p)
			s.x, s.y = append(s.x, float64(p.Second)), append(s.y, value)
			s.texts = append(s.texts, fmt.Sprintf("second %d: %s %s", p.Second+1, number(value), c.name))
			most = math.Max(most, value)
		}
		all = append(all, s)
	}
	y, ys := linear(most)
	last := float64(points[len(points)-1].Second)
	x, marks := linear(last)
	x.start, x.end, x.to = plotLeft, plotRight, last
	var xs []mark
	for _, m := range marks {
		if m.value <= last && m.value == math.Trunc(m.value) {
			xs = append(xs, mark{m.value, m.text + " s"})
		}
	}
	return draw(title, x, y, xs, ys, all)
}
