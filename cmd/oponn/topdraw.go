package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oponn/oponn/views/console"
)

// drawTop draws the console as lines of at most the given width; of them as
// many as fit into the height, unless that is 0.
func drawTop(s console.State, width, height int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  up %s  %s votes/s  %s streams  %s awake  %s\n", s.Self.Name, s.Headline(), console.Lasting(s.At.Sub(s.Self.Started)),
		console.Rate(s.Self.Votes), console.Count(s.Self.Streams), console.Count(s.Self.Awake), s.At.UTC().Format("15:04:05 UTC"))
	for _, p := range s.Parts {
		if !p.OK {
			fmt.Fprintf(&b, "! %s for %s: %s\n", p.Name, console.Lasting(s.At.Sub(p.Since)), p.Error)
		}
	}
	b.WriteString("\n")
	drawCharts(&b, s.Charts, width)
	b.WriteString("\n")
	drawTree(&b, s.Rows(), width)
	b.WriteString("\n")
	drawHottest(&b, s.Hottest)
	b.WriteString("\n")
	drawKinds(&b, s.Kinds)
	drawInstances(&b, s.Instances, s.At)
	return fit(b.String(), width, height)
}

func drawCharts(b *strings.Builder, charts []console.Chart, width int) {
	for _, c := range charts {
		for i, l := range c.Lines {
			name, drawn := c.Name, ""
			if l.Name != "" {
				name += " " + l.Name
			}
			if i == 0 {
				drawn = l.Points.Blocks(max(width-36, 10))
			}
			fmt.Fprintf(b, "%-20s %12s  %s\n", name, c.Now(l), drawn)
		}
	}
}

// drawTree draws the tree with what is known of each actor behind it.
func drawTree(b *strings.Builder, rows []console.Row, width int) {
	const columns = 47
	names := max(width-columns, 24)
	fmt.Fprintf(b, "%s %8s %8s %17s %10s\n", padded("actor", names), "alive", "waiting", "rate", "reply")
	for _, r := range rows {
		alive := ""
		if r.Alive > 0 || r.Max > 0 {
			alive = console.Count(r.Alive)
		}
		name := r.Lines + r.Name
		if r.Note != "" {
			name += "  " + r.Note
		}
		fmt.Fprintf(b, "%s %8s %8s %17s %10s\n", padded(name, names), alive, r.Queue(), r.Pace(), r.Reply())
	}
}

func drawHottest(b *strings.Builder, hottest []console.Hot) {
	if len(hottest) == 0 {
		b.WriteString("no ballot is awake\n")
		return
	}
	fmt.Fprintf(b, "%-24s %9s %8s %7s %9s\n", "hottest ballots", "votes/s", "viewers", "batch", "lag")
	for _, h := range hottest {
		fmt.Fprintf(b, "%-24s %9s %8s %7s %9s\n", h.Ballot, console.Rate(h.Votes), console.Count(h.Viewers), console.Count(h.Batch), console.Took(h.Lag))
	}
}

func drawKinds(b *strings.Builder, kinds []console.Kind) {
	if len(kinds) == 0 {
		return
	}
	fmt.Fprintf(b, "%-24s %9s %8s %11s %9s\n", "mailboxes", "alive", "waiting", "messages/s", "wait p99")
	for _, k := range kinds {
		fmt.Fprintf(b, "%-24s %9s %8s %11s %9s\n", k.Name, console.Count(k.Alive), console.Count(k.Waiting), console.Rate(k.Messages), k.Wait())
	}
	b.WriteString("\n")
}

func drawInstances(b *strings.Builder, all []console.Instance, now time.Time) {
	fmt.Fprintf(b, "%-24s %-9s %9s %8s %14s  %s\n", "instances", "state", "votes/s", "streams", "up", "version")
	for _, i := range all {
		name := i.Name
		if i.Self {
			name += " *"
		}
		fmt.Fprintf(b, "%s %-9s %9s %8s %14s  %s\n", padded(name, 24), i.Status, console.Rate(i.Votes), console.Count(i.Streams),
			console.Lasting(now.Sub(i.Started)), i.Version)
	}
}

// padded fills a text up to a width, or cuts it.
func padded(text string, width int) string {
	text = cut(text, width)
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// cut shortens a text to a width; every letter that we write takes one column.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}

// printable keeps what an error may say from steering the terminal.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// fit cuts lines to the width, and drops those that don't fit into the height.
func fit(text string, width, height int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if height > 0 && len(lines) > height {
		lines = lines[:height]
	}
	for i, line := range lines {
		line = strings.Map(printable, line)
		lines[i] = strings.TrimRight(cut(line, width), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
