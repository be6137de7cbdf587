package console

import (
	"math"
	"strconv"
	"strings"
)

// A chart is drawn in a box of so many units, stretched to the room there is.
const (
	boxWidth  = 180
	boxHeight = 40
)

// path draws points over the width of the box, scaled so that most is just
// below its top; filled, down to its bottom. What wasn't measured is a gap.
func (p Points) path(most float64, filled bool) string {
	var b strings.Builder
	step := boxWidth / float64(max(len(p)-1, 1))
	for from := 0; from < len(p); from++ {
		to := from
		for to < len(p) && !math.IsNaN(p[to]) {
			to++
		}
		if to == from {
			continue
		}
		b.WriteString("M")
		if filled {
			b.WriteString(coordinate(float64(from)*step) + " " + coordinate(boxHeight) + "L")
		}
		for i, v := range p[from:to] {
			if i > 0 {
				b.WriteString("L")
			}
			height := v / max(most, math.SmallestNonzeroFloat64) * (boxHeight - 2)
			b.WriteString(coordinate(float64(from+i)*step) + " " + coordinate(boxHeight-1-height))
		}
		switch {
		case filled:
			b.WriteString("L" + coordinate(float64(to-1)*step) + " " + coordinate(boxHeight) + "Z")
		case to == from+1:
			b.WriteString("h1") // one alone would not be seen
		}
		from = to
	}
	return b.String()
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// most is the largest value of all lines.
func (c Chart) most() (most float64) {
	for _, l := range c.Lines {
		most = max(most, l.Points.Max())
	}
	return most
}

// blocks are the eight heights of a letter.
var blocks = []rune("▁▂▃▄▅▆▇█")

// Blocks draws the newest points in one line of letters, one for each of width
// equal parts: the largest value within it.
func (p Points) Blocks(width int) string {
	out := make([]rune, width)
	most := p.Max()
	for i := range out {
		out[i] = ' '
		from, to := i*len(p)/width, (i+1)*len(p)/width
		largest, measured := 0.0, false
		for _, v := range p[from:max(to, min(from+1, len(p)))] {
			if !math.IsNaN(v) {
				largest, measured = max(largest, v), true
			}
		}
		if measured {
			out[i] = blocks[min(int(largest/max(most, math.SmallestNonzeroFloat64)*float64(len(blocks))), len(blocks)-1)]
		}
	}
	return string(out)
}
