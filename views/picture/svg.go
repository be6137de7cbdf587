package picture

import (
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
)

// family is what the pages' text is set in.
const family = `ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace`

// SVG writes the figure. It holds no style and no script; every shape has its
// colours, and classes by which a style sheet can give it others.
func (f *Figure) SVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="picture" xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d" font-family="%s">`,
		f.Width, f.Height, f.Width, f.Height, family)
	fmt.Fprintf(&b, `<title>%s</title><desc>%s</desc>`, html.EscapeString(f.Title), html.EscapeString(f.Description))
	var drawn strings.Builder
	gradients := 0
	for _, shape := range f.shapes {
		switch s := shape.(type) {
		case boxes:
			fmt.Fprintf(&drawn, `<path %s d="`, fill(s.paint, s.within, &b, &gradients))
			for _, r := range s.rects {
				drawn.WriteString("M" + number(r.X) + " " + number(r.Y) + "h" + number(r.Width) + "v" + number(r.Height) + "h" + number(-r.Width) + "z")
			}
			drawn.WriteString(`"/>`)
		case area:
			fmt.Fprintf(&drawn, `<path %s d="%sz"/>`, fill(s.paint, bounds(s.points), &b, &gradients), path(s.points))
		case stroke:
			paint := fill(s.paint, bounds(s.points), &b, &gradients)
			paint = strings.NewReplacer(`fill="`, `fill="none" stroke="`, `class="fill-`, `class="stroke-`).Replace(paint)
			fmt.Fprintf(&drawn, `<path %s stroke-width="%s" stroke-linejoin="round" stroke-linecap="round" d="%s"/>`, paint, number(s.width), path(s.points))
		case Words:
			fmt.Fprintf(&drawn, `<text %s x="%s" y="%s" font-size="%s"`, fill(s.Paint, Rect{}, &b, &gradients), number(s.X), number(s.Y), number(s.Size))
			if s.Bold {
				drawn.WriteString(` font-weight="700"`)
			}
			if s.Anchor != "" {
				drawn.WriteString(` text-anchor="` + string(s.Anchor) + `"`)
			}
			drawn.WriteString(">" + html.EscapeString(s.Text) + "</text>")
		}
	}
	b.WriteString(drawn.String() + "</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// fill returns the attributes of a paint. A gradient is defined first, in the
// pixels of the figure, for a line that is level has no box of its own.
func fill(p Paint, within Rect, b *strings.Builder, gradients *int) string {
	if p != Gradient {
		return `class="fill-` + string(p) + `" fill="` + p.hex() + `"`
	}
	*gradients++
	id := "picture-" + strconv.Itoa(*gradients)
	fmt.Fprintf(b, `<linearGradient id="%s" gradientUnits="userSpaceOnUse" x1="%s" x2="%s" y1="0" y2="0">`,
		id, number(within.X), number(within.X+max(within.Width, 1)))
	for _, stop := range stops {
		fmt.Fprintf(b, `<stop offset="%s" stop-color="#%06x"/>`, strconv.FormatFloat(stop.at, 'f', 2, 64), stop.colour)
	}
	b.WriteString("</linearGradient>")
	return `fill="url(#` + id + `)"`
}

func path(points []Point) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + number(p.X) + " " + number(p.Y))
	}
	return b.String()
}

// number writes a length to a tenth of a pixel.
func number(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}
