// Package picture draws flat figures, each of which can be written as SVG and
// as PNG alike. A figure has the colours of the pages, named by what they are
// for, so that a page can give its SVG those of the visitor's scheme.
package picture

import "strconv"

// Paint is a colour by its use.
type Paint string

// The paints.
const (
	Ground   Paint = "ground"
	Surface  Paint = "surface"
	Line     Paint = "line"
	Text     Paint = "text"
	Muted    Paint = "muted"
	Accent   Paint = "accent"
	Deep     Paint = "deep"
	Faint    Paint = "faint"
	Track    Paint = "track"
	Good     Paint = "good"
	Gradient Paint = "gradient" // from one side of the shape to the other
)

// colours are those of the dark scheme; see oponn.css.
var colours = map[Paint]uint32{
	Ground: 0x131314, Surface: 0x1e1f20, Line: 0x33363b, Text: 0xe8eaed, Muted: 0xa4aab1,
	Accent: 0xb794f6, Deep: 0x9b72cb, Faint: 0x241e2d, Track: 0x26282b, Good: 0x81c995,
}

// stops are the gradient: where, from 0 to 1, and the colour there.
var stops = []struct {
	at     float64
	colour uint32
}{{0, 0x4285f4}, {0.55, 0x9b72cb}, {1, 0xd96570}}

// hex returns a paint as SVG names it.
func (p Paint) hex() string {
	return "#" + strconv.FormatUint(uint64(colours[p])|1<<24, 16)[1:]
}

// Figure is a picture to be. Lengths are pixels, from the top left corner.
type Figure struct {
	Width, Height int
	// Title and Description tell those who don't see it what it shows.
	Title, Description string

	shapes []any
}

// Rect is a rectangle.
type Rect struct{ X, Y, Width, Height float64 }

// Point is a place.
type Point struct{ X, Y float64 }

// Anchor says which end of a text stands at its place.
type Anchor string

// The anchors; empty is the start.
const (
	Middle Anchor = "middle"
	End    Anchor = "end"
)

// Words is a line of text, in a font whose characters are all as wide.
type Words struct {
	Point  // on the baseline
	Text   string
	Size   float64 // of the font
	Bold   bool
	Anchor Anchor
	Paint  Paint
}

type (
	// boxes are rectangles of one paint; within spans the gradient.
	boxes struct {
		rects  []Rect
		paint  Paint
		within Rect
	}
	area struct {
		points []Point
		paint  Paint
	}
	stroke struct {
		points []Point
		width  float64
		paint  Paint
	}
)

// Box draws a filled rectangle.
func (f *Figure) Box(r Rect, p Paint) { f.shapes = append(f.shapes, boxes{[]Rect{r}, p, r}) }

// Boxes draws rectangles of one paint, whose gradient spans the given one.
func (f *Figure) Boxes(rects []Rect, p Paint, within Rect) {
	if len(rects) > 0 {
		f.shapes = append(f.shapes, boxes{rects, p, within})
	}
}

// Area draws a filled polygon.
func (f *Figure) Area(points []Point, p Paint) { f.shapes = append(f.shapes, area{points, p}) }

// Stroke draws a line through points.
func (f *Figure) Stroke(points []Point, width float64, p Paint) {
	f.shapes = append(f.shapes, stroke{points, width, p})
}

// Write draws a line of text.
func (f *Figure) Write(w Words) {
	if w.Text != "" {
		f.shapes = append(f.shapes, w)
	}
}

// bounds returns the rectangle around points.
func bounds(points []Point) Rect {
	least, most := points[0], points[0]
	for _, p := range points[1:] {
		least = Point{min(least.X, p.X), min(least.Y, p.Y)}
		most = Point{max(most.X, p.X), max(most.Y, p.Y)}
	}
	return Rect{least.X, least.Y, most.X - least.X, most.Y - least.Y}
}
