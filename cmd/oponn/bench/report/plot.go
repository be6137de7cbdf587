package report

import (
	"fmt"
	"math"
	"strings"
)

// plot is a drawing of curves, in units of its view box.
type plot struct {
	Title         string
	Width, Height int
	X, Y          []tick
	Lines         []line
}

// tick is a mark of an axis.
type tick struct {
	At, X1, X2, TextX, TextY float64
	Text                     string
}

// line is a curve.
type line struct {
	Name         string
	Path, Area   string
	Stroke, Fill string // classes
	Dots         []dot
}

// dot tells a value to whoever points at it.
type dot struct {
	X, Y float64
	Text string
}

// The frame of all plots.
const (
	plotWidth, plotHeight                 = 960, 300
	plotLeft, plotRight, plotTop, plotLow = 64, 948, 12, 268
)

// axis maps values to positions.
type axis struct {
	from, to   float64
	start, end float64
	log        bool
}

func (a axis) at(x float64) float64 {
	from, to := a.from, a.to
	if a.log {
		from, to, x = math.Log10(from), math.Log10(to), math.Log10(math.Max(x, a.from))
	}
	if to == from {
		return a.start
	}
	return round(a.start + (x-from)/(to-from)*(a.end-a.start))
}

func round(x float64) float64 { return math.Round(x*10) / 10 }

// series is what a line is drawn of.
type series struct {
	name   string
	x, y   []float64
	texts  []string
	filled bool
}

// draw makes a plot of series with the given axes and marks.
func draw(title string, x, y axis, xs, ys []mark, all []series) plot {
	p := plot{Title: title, Width: plotWidth, Height: plotHeight}
	for _, m := range ys {
		at := y.at(m.value)
		p.Y = append(p.Y, tick{At: at, X1: plotLeft, X2: plotRight, TextX: plotLeft - 8, TextY: at + 4, Text: m.text})
	}
	for _, m := range xs {
		p.X = append(p.X, tick{At: x.at(m.value), TextY: plotLow + 20, Text: m.text})
	}
	for i, s := range all {
		p.Lines = append(p.Lines, s.draw(x, y, i%6))
	}
	return p
}

func (s series) draw(x, y axis, class int) line {
	l := line{Name: s.name, Stroke: fmt.Sprintf("c%d", class), Fill: fmt.Sprintf("f%d", class)}
	var path strings.Builder
	for i := range s.x {
		command := "L"
		if i == 0 {
			command = "M"
		}
		d := dot{X: x.at(s.x[i]), Y: y.at(s.y[i]), Text: s.texts[i]}
		fmt.Fprintf(&path, "%s%g %g", command, d.X, d.Y)
		l.Dots = append(l.Dots, d)
	}
	l.Path = path.String()
	if n := len(l.Dots); s.filled && n > 1 {
		l.Area = fmt.Sprintf("%sL%g %gL%g %gZ", l.Path, l.Dots[n-1].X, y.start, l.Dots[0].X, y.start)
	}
	return l
}

// mark is a value of an axis that is named.
type mark struct {
	value float64
	text  string
}

// linear returns an axis from zero for values up to most, and its marks.
func linear(most float64) (axis, []mark) {
	step := 1.0
	if most > 0 {
		step = math.Pow(10, math.Floor(math.Log10(most/4)))
	}
	for _, factor := range []float64{1, 2, 2.5, 5, 10} {
		if most/(step*factor) <= 5 {
			step *= factor
			break
		}
	}
	top := math.Max(math.Ceil(most/step), 1) * step
	var marks []mark
	for value := 0.0; value <= top+step/2; value += step {
		marks = append(marks, mark{value, short(value)})
	}
	return axis{from: 0, to: top, start: plotLow, end: plotTop}, marks
}

// logarithmic returns an axis for values between two above zero, and its marks.
func logarithmic(least, most float64) (axis, []mark) {
	steps := []float64{1, 2, 5}
	if most/least > 1000 {
		steps = []float64{1}
	}
	a := axis{from: niceBelow(least), to: niceAbove(most), start: plotLow, end: plotTop, log: true}
	var marks []mark
	for decade := math.Floor(math.Log10(a.from)); decade <= math.Log10(a.to); decade++ {
		for _, step := range steps {
			if value := step * math.Pow(10, decade); value >= a.from*0.999 && value <= a.to*1.001 {
				marks = append(marks, mark{value, short(value)})
			}
		}
	}
	return a, marks
}

func niceBelow(x float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, step := range []float64{5, 2} {
		if step*decade <= x {
			return step * decade
		}
	}
	return decade
}

func niceAbove(x float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, step := range []float64{1, 2, 5} {
		if step*decade >= x {
			return step * decade
		}
	}
	return 10 * decade
}

// short writes a number in few characters.
func short(x float64) string {
	switch {
	case x >= 1e6:
		return fmt.Sprintf("%gM", round(x/1e6))
	case x >= 1e4:
		return fmt.Sprintf("%gk", round(x/1e3))
	default:
		return fmt.Sprintf("%g", math.Round(x*1000)/1000)
	}
}
