package console

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Count writes a whole number in groups of three.
func Count[T int | uint64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Rate writes a number per second: with a decimal where it is small.
func Rate(perSecond float64) string {
	switch {
	case math.IsNaN(perSecond):
		return "–"
	case perSecond < 0.05:
		return "0"
	case perSecond < 9.95:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return Count(int(math.Round(perSecond)))
}

// Took writes a time in seconds to two digits or three.
func Took(seconds float64) string {
	switch ms := seconds * 1000; {
	case math.IsNaN(seconds):
		return "–"
	case ms < 0.95:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// Lasting writes how long something has lasted, in its two largest units.
func Lasting(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	case s < 24*3600:
		return fmt.Sprintf("%d h %02d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d %02d h", s/86400, s/3600%24)
}

// Now writes the newest value of the chart's line.
func (c Chart) Now(l Line) string { return c.write(l.Points.Last()) }

func (c Chart) write(v float64) string {
	if c.Unit == "s" {
		return Took(v)
	}
	return Rate(v)
}

// Headline says in a few words how the instance does.
func (s State) Headline() string {
	var failing []string
	for _, p := range s.Parts {
		if !p.OK {
			failing = append(failing, p.Name)
		}
	}
	if len(failing) == 0 || s.Self.Status == "draining" {
		return s.Self.Status
	}
	return s.Self.Status + ": " + strings.Join(failing, ", ")
}

// failing are the parts that are not well.
func (s State) failing() []Part {
	return slices.DeleteFunc(slices.Clone(s.Parts), func(p Part) bool { return p.OK })
}

// Row is a node with the lines of the tree before it.
type Row struct {
	Lines string
	Node
}

// Rows returns the tree from top to bottom.
func (s State) Rows() []Row { return s.Tree.rows(nil, "", "") }

func (n Node) rows(rows []Row, own, below string) []Row {
	rows = append(rows, Row{Lines: own, Node: n})
	for i, child := range n.Children {
		if i == len(n.Children)-1 {
			rows = child.rows(rows, below+"└─ ", below+"   ")
		} else {
			rows = child.rows(rows, below+"├─ ", below+"│  ")
		}
	}
	return rows
}

// Queue writes what waits for it; empty for one that was not asked.
func (n Node) Queue() string {
	if n.Waiting == 0 && n.Delay == 0 {
		return ""
	}
	return Count(n.Waiting)
}

// Pace writes what it does.
func (n Node) Pace() string {
	if n.Unit == "" {
		return ""
	}
	return Rate(n.Rate) + " " + n.Unit
}

// Reply writes how long its messages wait.
func (n Node) Reply() string {
	switch {
	case n.Silent:
		return "no answer"
	case n.Delay > 0:
		return Took(n.Delay)
	}
	return ""
}

// Wait writes how long messages waited.
func (k Kind) Wait() string {
	if k.Waited == 0 {
		return "–" // not measured
	}
	return Took(k.Waited)
}

// id is the row's in the page, so that it keeps its place.
func (r Row) id() string { return "actor-" + strings.ReplaceAll(r.Name, "/", "-") + r.Key }
