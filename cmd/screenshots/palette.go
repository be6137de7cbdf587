package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
)

// paint is a colour of a picture and how many pixels have it.
type paint struct {
	c [3]uint8
	n float64
}

// colours are enough for pages of few: text with soft edges, and a gradient.
const colours = 64

// tallest is as much of a page as is shown, in pixels: of the longest, the
// beginning will do.
const tallest = 1800

// slim makes a PNG of few colours of one of millions: a third of its size, and
// nobody sees the difference.
func slim(picture []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	bounds := full.Bounds()
	bounds.Max.Y = min(bounds.Max.Y, bounds.Min.Y+tallest)
	pixels := make([][3]uint8, 0, bounds.Dx()*bounds.Dy())
	counts := map[[3]uint8]float64{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := full.At(x, y).RGBA()
			c := [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
			pixels = append(pixels, c)
			counts[c]++
		}
	}
	palette, index := quantize(counts, colours)
	few := image.NewPaletted(bounds, palette)
	for i, c := range pixels {
		few.Pix[i] = index[c]
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few)
	return out.Bytes(), err
}

// quantize chooses colours that stand for all, by cutting the box of colours
// with the most to lose in two again and again (median cut), and says which
// stands for which.
func quantize(counts map[[3]uint8]float64, most int) (color.Palette, map[[3]uint8]uint8) {
	paints := make([]paint, 0, len(counts))
	for c, n := range counts {
		paints = append(paints, paint{c, math.Sqrt(n)}) // large areas are well served anyway
	}
	slices.SortFunc(paints, func(a, b paint) int { return slices.Compare(a.c[:], b.c[:]) }) // the same each time
	boxes := [][]paint{paints}
	for len(boxes) < most {
		worst, axis, loss := 0, 0, 0.0
		for i, box := range boxes {
			if a, l := spread(box); l > loss {
				worst, axis, loss = i, a, l
			}
		}
		if loss == 0 {
			break
		}
		low, high := cut(boxes[worst], axis)
		boxes[worst] = low
		boxes = append(boxes, high)
	}
	palette, index := make(color.Palette, len(boxes)), make(map[[3]uint8]uint8, len(counts))
	for i, box := range boxes {
		palette[i] = dominant(box)
		for _, p := range box {
			index[p.c] = uint8(i)
		}
	}
	return palette, index
}

// spread returns the axis along which a box of colours is widest, and what is
// lost when one colour stands for all of it.
func spread(box []paint) (axis int, loss float64) {
	var n float64
	low, high := box[0].c, box[0].c
	for _, p := range box {
		n += p.n
		for a, v := range p.c {
			low[a], high[a] = min(low[a], v), max(high[a], v)
		}
	}
	var width uint8
	for a := range low {
		if w := high[a] - low[a]; w > width {
			axis, width = a, w
		}
	}
	return axis, float64(width) * float64(width) * n
}

// cut halves a box, by weight, along an axis on which it is not flat.
func cut(box []paint, axis int) (low, high []paint) {
	slices.SortStableFunc(box, func(a, b paint) int { return cmp.Compare(a.c[axis], b.c[axis]) })
	var all, sum float64
	for _, p := range box {
		all += p.n
	}
	for i, p := range box[:len(box)-1] {
		if sum += p.n; sum >= all/2 {
			return box[: i+1 : i+1], box[i+1:]
		}
	}
	return box[:len(box)-1], box[len(box)-1:]
}

// dominant is the colour that stands for a box: that of most of its pixels, so that
// flat areas stay as they are.
func dominant(box []paint) color.Color {
	most := slices.MaxFunc(box, func(a, b paint) int { return cmp.Compare(a.n, b.n) })
	return color.RGBA{most.c[0], most.c[1], most.c[2], 255}
}
