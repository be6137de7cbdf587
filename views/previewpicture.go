package views

import (
	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
	"github.com/oponn/oponn/views/picture"
)

// Preview is what the picture of a link shows.
type Preview struct {
	Question string
	Status   oponn.Status
	Labels   []string // of the owner's options
	// Result is shown instead of the options; nil for none.
	Result *Result
}

// The size that social networks want.
const (
	previewWidth  = 1200
	previewHeight = 630
	previewBars   = 4
)

// PreviewPicture draws the picture of a link, in the language of the given
// locale, which must be one that can be drawn. A question in another script is
// left out: a picture of boxes would say less than none.
func PreviewPicture(l *locales.Locale, d Preview) *Picture {
	f := &Picture{picture.Figure{Width: previewWidth, Height: previewHeight}}
	f.Box(picture.Rect{Width: previewWidth, Height: previewHeight}, picture.Ground)
	f.Box(picture.Rect{Y: previewHeight - 10, Width: previewWidth, Height: 10}, picture.Gradient)
	f.signature(l, d.Status)
	if !picture.Drawable(d.Question) {
		f.Write(picture.Words{Point: picture.Point{X: 72, Y: 300}, Size: 120, Bold: true, Paint: picture.Accent, Text: ">"})
		f.Write(picture.Words{Point: picture.Point{X: 190, Y: 300}, Size: 120, Bold: true, Paint: picture.Text, Text: "oponn"})
		for i, line := range picture.Fit(l.T("site.tagline"), 58, 2) {
			f.Write(picture.Words{Point: picture.Point{X: 72, Y: 380 + 44*float64(i)}, Size: 30, Paint: picture.Muted, Text: line})
		}
		return f
	}
	size, lines := previewQuestion(d.Question)
	y := 72 + size*0.9
	f.Write(picture.Words{Point: picture.Point{X: 72, Y: y}, Size: size, Bold: true, Paint: picture.Accent, Text: ">"})
	for _, line := range lines {
		f.Write(picture.Words{Point: picture.Point{X: 72 + 1.2*size, Y: y}, Size: size, Bold: true, Paint: picture.Text, Text: line})
		y += 1.2 * size
	}
	y += 28 - 0.3*size
	if d.Result != nil {
		f.previewResult(l, *d.Result, y)
	} else {
		f.previewOptions(l, d.Labels, y)
	}
	return f
}

// previewQuestion returns in which size a question fits, and its lines.
func previewQuestion(question string) (size float64, lines []string) {
	for _, size := range []float64{72, 58, 46} {
		wide := int((previewWidth - 144 - 1.2*size) / (picture.Advance * size))
		if lines := picture.Fit(question, wide, 4); len(lines) <= int(240/(1.2*size))+1 && len(lines) < 4 {
			return size, lines
		}
	}
	return 38, picture.Fit(question, 44, 5)
}

// previewRow is how much room an option has.
const previewRow = 62.0

// shownRows returns how many options fit from y on, and how many of them are
// left out: then the last row says so.
func shownRows(n int, y float64) (shown, left int) {
	room := max(int((previewHeight-96-y)/previewRow), 1)
	if n <= room {
		return n, 0
	}
	return room - 1, n - room + 1
}

func (f *Picture) previewOptions(l *locales.Locale, labels []string, y float64) {
	for _, label := range labels {
		if !picture.Drawable(label) {
			return
		}
	}
	shown, left := shownRows(len(labels), y)
	size, row := 34.0, previewRow
	if room := (previewHeight - 110 - y) / float64(len(labels)); room > 1.3*previewRow {
		size, row = 46, min(room, 1.5*previewRow)
	}
	for _, label := range labels[:shown] {
		f.Write(picture.Words{Point: picture.Point{X: 72, Y: y + 1.2*size}, Size: size, Paint: picture.Accent, Text: "[ ]"})
		f.Write(picture.Words{Point: picture.Point{X: 72 + 2.6*size, Y: y + 1.2*size}, Size: size, Paint: picture.Text, Text: picture.FitLine(label, int(1500/size))})
		y += row
	}
	f.rest(l, left, y)
}

func (f *Picture) previewResult(l *locales.Locale, d Result, y float64) {
	rows := d.rows(l)
	_, _, rows = drawable(l, "", rows)
	shown, left := shownRows(len(rows), y)
	for i, r := range rows[:shown] {
		paint := picture.Deep
		if r.first {
			paint = picture.Gradient
		}
		f.Write(picture.Words{Point: picture.Point{X: 72, Y: y + 38}, Size: 30, Bold: r.first, Paint: picture.Text, Text: picture.FitLine(r.label, 24)})
		f.segmented(picture.Rect{X: 530, Y: y + 14, Width: 450, Height: 28}, 30, portion(d.Options[i].Votes, d.Votes), paint)
		f.Write(picture.Words{Point: picture.Point{X: previewWidth - 72, Y: y + 38}, Size: 30, Bold: true, Anchor: picture.End, Paint: picture.Text, Text: r.percent})
		y += previewRow
	}
	f.rest(l, left, y)
}

// rest says that there are more options.
func (f *Picture) rest(l *locales.Locale, n int, y float64) {
	if n > 0 {
		f.Write(picture.Words{Point: picture.Point{X: 72, Y: y + 38}, Size: 30, Paint: picture.Muted, Text: "+ " + l.Number(uint64(n))})
	}
}

// signature says whose picture it is, and whether one can vote.
func (f *Picture) signature(l *locales.Locale, status oponn.Status) {
	y, paint := float64(previewHeight-44), picture.Muted
	if status == oponn.Open {
		paint = picture.Good
	}
	f.Box(picture.Rect{X: 72, Y: y - 19, Width: 18, Height: 18}, paint)
	f.Write(picture.Words{Point: picture.Point{X: 106, Y: y}, Size: 28, Paint: paint, Text: l.T("status." + string(status))})
	f.Write(picture.Words{Point: picture.Point{X: previewWidth - 72, Y: y}, Size: 32, Bold: true, Anchor: picture.End, Paint: picture.Text, Text: "oponn"})
}
