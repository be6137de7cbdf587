package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// fonts are those that pictures of pixels are set in: Latin, Greek and
// Cyrillic, no other scripts.
var fonts = sync.OnceValue(func() [2]*sfnt.Font {
	return [2]*sfnt.Font{parsed(gomono.TTF), parsed(gomonobold.TTF)}
})

func parsed(ttf []byte) *sfnt.Font {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("picture: %v", err)) // embedded: a fault of the build
	}
	return f
}

// Drawable says whether a picture of pixels can show a text: the font has each
// of its characters.
func Drawable(text string) bool {
	var buffer sfnt.Buffer
	for _, r := range text {
		if glyph, err := fonts()[0].GlyphIndex(&buffer, r); err != nil || glyph == 0 {
			return false
		}
	}
	return true
}

// PNG returns the figure as an image of its size.
func (f *Figure) PNG() ([]byte, error) {
	canvas := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	faces := make(map[Words]font.Face)
	for _, shape := range f.shapes {
		switch s := shape.(type) {
		case boxes:
			for _, r := range s.rects {
				rectangle(canvas, r, source(s.paint, s.within))
			}
		case area:
			polygon(canvas, s.points, source(s.paint, bounds(s.points)))
		case stroke:
			thick(canvas, s)
		case Words:
			if err := write(canvas, s, faces); err != nil {
				return nil, err
			}
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, canvas); err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	return out.Bytes(), nil
}

// source returns the colours of a paint.
func source(p Paint, within Rect) image.Image {
	if p == Gradient {
		return gradient{within.X, max(within.Width, 1)}
	}
	return image.NewUniform(rgb(colours[p]))
}

func rgb(c uint32) color.RGBA { return color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 0xff} }

// gradient is an image without bounds.
type gradient struct{ x, width float64 }

func (g gradient) ColorModel() color.Model { return color.RGBAModel }
func (g gradient) Bounds() image.Rectangle { return image.Rect(-1e6, -1e6, 1e6, 1e6) }

// At mixes the two stops that a place lies between.
func (g gradient) At(x, _ int) color.Color {
	at := (float64(x) + 0.5 - g.x) / g.width
	for i := 1; i < len(stops); i++ {
		from, to := stops[i-1], stops[i]
		if at > to.at && i < len(stops)-1 {
			continue
		}
		share := min(max((at-from.at)/(to.at-from.at), 0), 1)
		a, b := rgb(from.colour), rgb(to.colour)
		mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + share*(float64(b)-float64(a)))) }
		return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
	}
	return color.RGBA{}
}

// rectangle fills one; where its edges lie between pixels, with soft ones.
func rectangle(canvas *image.RGBA, r Rect, paint image.Image) {
	if r.X == math.Trunc(r.X) && r.Y == math.Trunc(r.Y) && r.Width == math.Trunc(r.Width) && r.Height == math.Trunc(r.Height) {
		at := image.Rect(int(r.X), int(r.Y), int(r.X+r.Width), int(r.Y+r.Height))
		draw.Draw(canvas, at, paint, at.Min, draw.Src)
		return
	}
	polygon(canvas, []Point{{r.X, r.Y}, {r.X + r.Width, r.Y}, {r.X + r.Width, r.Y + r.Height}, {r.X, r.Y + r.Height}}, paint)
}

// polygon fills one, with soft edges.
func polygon(canvas *image.RGBA, points []Point, paint image.Image) {
	box := bounds(points)
	at := image.Rect(int(math.Floor(box.X)), int(math.Floor(box.Y)), int(math.Ceil(box.X+box.Width)), int(math.Ceil(box.Y+box.Height))).Intersect(canvas.Bounds())
	if at.Empty() {
		return
	}
	pen := vector.NewRasterizer(at.Dx(), at.Dy())
	for i, p := range points {
		x, y := float32(p.X-float64(at.Min.X)), float32(p.Y-float64(at.Min.Y))
		if i == 0 {
			pen.MoveTo(x, y)
		} else {
			pen.LineTo(x, y)
		}
	}
	pen.ClosePath()
	pen.Draw(canvas, at, paint, at.Min)
}

// thick draws a line as a quadrilateral for each of its parts, with squares at
// its joints: too fine to tell them from round ones.
func thick(canvas *image.RGBA, s stroke) {
	paint := source(s.paint, bounds(s.points))
	half := s.width / 2
	for i, to := range s.points {
		polygon(canvas, []Point{{to.X - half, to.Y}, {to.X, to.Y - half}, {to.X + half, to.Y}, {to.X, to.Y + half}}, paint)
		if i == 0 {
			continue
		}
		from := s.points[i-1]
		length := math.Hypot(to.X-from.X, to.Y-from.Y)
		if length == 0 {
			continue
		}
		dx, dy := (to.Y-from.Y)/length*half, (from.X-to.X)/length*half
		polygon(canvas, []Point{{from.X + dx, from.Y + dy}, {to.X + dx, to.Y + dy}, {to.X - dx, to.Y - dy}, {from.X - dx, from.Y - dy}}, paint)
	}
}

// write sets a line of text.
func write(canvas *image.RGBA, w Words, faces map[Words]font.Face) error {
	key := Words{Size: w.Size, Bold: w.Bold}
	face, ok := faces[key]
	if !ok {
		var err error
		which := fonts()[0]
		if w.Bold {
			which = fonts()[1]
		}
		if face, err = opentype.NewFace(which, &opentype.FaceOptions{Size: w.Size, DPI: 72, Hinting: font.HintingNone}); err != nil {
			return fmt.Errorf("picture: %w", err)
		}
		faces[key] = face
	}
	drawer := font.Drawer{Dst: canvas, Src: source(w.Paint, Rect{}), Face: face}
	long := drawer.MeasureString(w.Text)
	x := fixed.Int26_6(math.Round(w.X * 64))
	switch w.Anchor {
	case Middle:
		x -= long / 2
	case End:
		x -= long
	}
	drawer.Dot = fixed.Point26_6{X: x, Y: fixed.Int26_6(math.Round(w.Y * 64))}
	drawer.DrawString(w.Text)
	return nil
}
