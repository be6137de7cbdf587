package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print prints the report as a table for people.
func (r *Report) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r.sections() {
		fmt.Fprintf(t, "\n> %s\n", s.title)
		for _, row := range s.rows {
			fmt.Fprintf(t, "  %s\t%s\n", row[0], strings.Join(row[1:], "\t"))
		}
	}
	_ = t.Flush() // nothing sensible can be done when telling somebody fails
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "\n! %s\n", warning)
	}
}

// section is a table with a title: the first column are names.
type section struct {
	title string
	rows  [][]string
}

func (s *section) add(name string, values ...string) {
	s.rows = append(s.rows, append([]string{name}, values...))
}

// even returns the rows with as many cells each.
func (s *section) even() [][]string {
	most := 0
	for _, row := range s.rows {
		most = max(most, len(row))
	}
	rows := make([][]string, len(s.rows))
	for i, row := range s.rows {
		rows[i] = append(slices.Clip(row), make([]string, most-len(row))...)
	}
	return rows
}

func (r *Report) sections() (all []section) {
	if r.Votes != nil {
		all = append(all, r.votesSection())
	}
	if r.Viewers != nil {
		all = append(all, r.viewersSection())
	}
	all = append(all, r.latencySection(), r.checksSection(), r.costSection())
	return all
}

func (r *Report) votesSection() section {
	v := r.Votes
	s := section{title: "votes"}
	s.add("acknowledged", count(v.Acknowledged), fmt.Sprintf("%s/s", count(int64(v.PerSecond+0.5))))
	s.add("given up", count(v.GivenUp))
	s.add("unknown", count(v.Unknown))
	s.add("retries", count(v.Retries))
	if v.Repeats > 0 {
		s.add("repeats", count(v.Repeats))
	}
	for _, reason := range slices.Sorted(maps.Keys(v.Refused)) {
		s.add("refused: "+reason, count(v.Refused[reason]))
	}
	return s
}

func (r *Report) viewersSection() section {
	v := r.Viewers
	s := section{title: "viewers"}
	s.add("joined", fmt.Sprintf("%s of %s", count(int64(v.Joined)), count(int64(v.Wanted))), fmt.Sprintf("%.2f s", v.JoinSeconds))
	s.add("watching at the end", count(int64(v.Watching)))
	s.add("frames", count(v.Frames), fmt.Sprintf("%s/s", count(int64(v.PerSecond+0.5))))
	s.add("versions skipped", count(v.Conflated))
	s.add("streams broken", count(int64(v.Broken)))
	s.add("reconnects", count(int64(v.Reconnects)))
	for _, reason := range slices.Sorted(maps.Keys(v.Refused)) {
		s.add("refused: "+reason, count(int64(v.Refused[reason])))
	}
	return s
}

func (r *Report) latencies() (names []string, all []*Latency) {
	add := func(name string, l *Latency) {
		if l != nil && l.Count > 0 {
			names, all = append(names, name), append(all, l)
		}
	}
	if r.Votes != nil {
		add("vote to acknowledgement", &r.Votes.Acknowledgement)
		add("vote to refusal", r.Votes.Refusal)
		add("page", r.Votes.Page)
	}
	add("vote to screen", r.Screen)
	if r.Viewers != nil {
		add("join to first frame", &r.Viewers.FirstFrame)
	}
	add("tester late", r.Tester.Late)
	return names, all
}

func (r *Report) latencySection() section {
	s := section{title: "latency in ms"}
	s.add("", "p50", "p90", "p99", "p99.9", "max")
	names, all := r.latencies()
	for i, l := range all {
		s.add(names[i], ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max))
	}
	return s
}

func (r *Report) checksSection() section {
	s := section{title: "held against the final result"}
	s.add("lost", count(r.Checks.Lost))
	s.add("doubled", count(r.Checks.Doubled))
	if r.Votes != nil && r.Votes.Repeats > 0 {
		s.add("repeats answered otherwise", count(r.Checks.RepeatsWrong))
	}
	if r.Viewers != nil {
		s.add("stale viewers", count(r.Checks.Stale))
		s.add("frames backward", count(r.Checks.Backward))
	}
	return s
}

func (r *Report) costSection() section {
	s := section{title: "CPU and memory"}
	s.add("", "CPU s", "µs/vote", "µs/frame", "MB", "KB/viewer")
	for _, p := range r.Servers {
		s.add(fmt.Sprintf("%s (%d)", p.Name, p.PID), fmt.Sprintf("%.2f", p.CPUSeconds), ms(p.USPerVote), ms(p.USPerFrame),
			fmt.Sprintf("%.1f", float64(p.MemoryEnd)/(1<<20)), fmt.Sprintf("%.1f", float64(p.BytesPerViewer)/(1<<10)))
	}
	s.add("this tester", fmt.Sprintf("%.2f", r.Tester.CPUSeconds), ms(r.Tester.VotersUS), ms(r.Tester.ViewersUS),
		fmt.Sprintf("%.0f %% of the machine", 100*r.Tester.CPUShare))
	return s
}

// ms writes a number with as many digits as it deserves.
func ms(x float64) string {
	switch {
	case x == 0:
		return "–"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

// count writes a number in groups of three digits.
func count(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
