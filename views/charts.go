package views

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
	"github.com/oponn/oponn/views/picture"
)

// Picture is a figure of a result.
type Picture struct{ picture.Figure }

// Inline returns the figure as a part of a page.
func (f *Picture) Inline() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error { return f.SVG(w) })
}

// pictureWidth is that of all figures, in pixels; barsShown is how many options
// one shows at most.
const (
	pictureWidth = 1200
	margin       = 48.0
	inner        = pictureWidth - 2*margin
	barsShown    = 60
)

// drawable returns a locale and texts that a picture of pixels can show: its
// font knows no scripts but Latin, Greek and Cyrillic. What it can't show is
// told by number.
func drawable(l *locales.Locale, question string, rows []row) (*locales.Locale, string, []row) {
	if !picture.Drawable(l.N("status.votes", 1) + l.T("result.wins") + l.T("status.final")) {
		l = locales.All()[0]
	}
	if !picture.Drawable(question) {
		question = ""
	}
	for i := range rows {
		if !picture.Drawable(rows[i].label) {
			rows[i].label = "#" + strconv.Itoa(i+1)
		}
	}
	return l, question, rows
}

// BarsPicture draws a result that is shown: a bar for each option. For pixels
// it leaves out what their font has no characters for.
func BarsPicture(l *locales.Locale, question string, d Result, pixels bool) *Picture {
	rows := d.rows(l)
	description := barsDescription(l, d, rows)
	title := l.T("result.title", question)
	if pixels {
		var shown *locales.Locale
		if shown, question, rows = drawable(l, question, rows); shown != l {
			l = shown
			for i, r := range d.rows(l) {
				rows[i].percent, rows[i].votes, rows[i].mark = r.percent, r.votes, r.mark
			}
		}
	}
	f := &Picture{picture.Figure{Width: pictureWidth, Title: title, Description: description}}
	more := len(rows) - min(len(rows), barsShown)
	rows = rows[:len(rows)-more]
	lines := picture.Fit(question, 43, 3)
	head := margin + 48*float64(len(lines)) + 76
	f.Height = int(head + 76*float64(len(rows)) + 56)
	f.Box(picture.Rect{Width: pictureWidth, Height: float64(f.Height)}, picture.Ground)
	f.heading(lines)
	f.Write(picture.Words{Point: picture.Point{X: margin, Y: head - 38}, Size: 22, Paint: picture.Muted, Text: summaryLine(l, d)})
	for i, r := range rows {
		f.bar(head+76*float64(i), r, d.Options[i], d.Votes)
	}
	f.foot(l, more)
	return f
}

// heading writes a question behind a prompt.
func (f *Picture) heading(lines []string) {
	if len(lines) > 0 {
		f.Write(picture.Words{Point: picture.Point{X: margin, Y: margin + 36}, Size: 40, Bold: true, Paint: picture.Accent, Text: ">"})
	}
	for i, line := range lines {
		f.Write(picture.Words{Point: picture.Point{X: margin + 48, Y: margin + 36 + 48*float64(i)}, Size: 40, Bold: true, Paint: picture.Text, Text: line})
	}
}

// foot signs a picture.
func (f *Picture) foot(l *locales.Locale, more int) {
	y := float64(f.Height) - 22
	if more > 0 {
		f.Write(picture.Words{Point: picture.Point{X: margin, Y: y}, Size: 18, Paint: picture.Muted, Text: "+ " + l.Number(uint64(more))})
	}
	f.Write(picture.Words{Point: picture.Point{X: pictureWidth - margin, Y: y}, Size: 18, Bold: true, Anchor: picture.End, Paint: picture.Muted, Text: "oponn"})
}

// segments is how many parts a bar has when it is full.
const segments = 64

// bar draws one option: its label, its share, and below them the bar.
func (f *Picture) bar(y float64, r row, o oponn.Result, votes uint64) {
	paint, words := picture.Deep, picture.Text
	if r.first {
		paint = picture.Gradient
	}
	label := r.label
	if r.mark != "" {
		label += "  [" + r.mark + "]"
	}
	f.Write(picture.Words{Point: picture.Point{X: margin, Y: y + 26}, Size: 24, Bold: r.first, Paint: words, Text: picture.FitLine(label, 60)})
	f.Write(picture.Words{Point: picture.Point{X: pictureWidth - margin - 110, Y: y + 26}, Size: 26, Bold: true, Anchor: picture.End, Paint: picture.Text, Text: r.percent})
	f.Write(picture.Words{Point: picture.Point{X: pictureWidth - margin, Y: y + 26}, Size: 22, Anchor: picture.End, Paint: picture.Muted, Text: r.votes})
	f.segmented(picture.Rect{X: margin, Y: y + 38, Width: inner, Height: 18}, segments, portion(o.Votes, votes), paint)
}

// segmented draws a bar of which a share is filled.
func (f *Picture) segmented(whole picture.Rect, parts int, share float64, paint picture.Paint) {
	const gap = 3
	var full, rest []picture.Rect
	step := whole.Width / float64(parts)
	for i := range parts {
		from := float64(i) * step
		filled := min(max(share*whole.Width-from, 0), step-gap)
		if filled > 0 {
			full = append(full, picture.Rect{X: whole.X + from, Y: whole.Y, Width: filled, Height: whole.Height})
		}
		if filled < step-gap {
			rest = append(rest, picture.Rect{X: whole.X + from + filled, Y: whole.Y, Width: step - gap - filled, Height: whole.Height})
		}
	}
	f.Boxes(rest, picture.Track, whole)
	f.Boxes(full, paint, whole)
}

// portion returns the part of all that some are, from 0 to 1.
func portion(some, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return min(float64(some)/float64(all), 1)
}

// summaryLine says how the ballot stands.
func summaryLine(l *locales.Locale, d Result) string {
	state := l.T("status." + string(d.Status))
	if d.Status == oponn.Closed && !d.ClosedAt.IsZero() {
		state = l.T("status.final") + "  ·  " + l.Time(d.ClosedAt)
	}
	return l.N("status.votes", d.Votes) + "  ·  " + state
}

// barsDescription reads a result out.
func barsDescription(l *locales.Locale, d Result, rows []row) string {
	text := l.N("status.votes", d.Votes) + "."
	for _, r := range rows {
		text += " " + r.label + ": " + r.votes + " (" + r.percent + ")."
	}
	return text
}

// PaceShape is how a chart of the pace is laid out.
type PaceShape struct {
	width, height            float64
	left, right, top, bottom float64 // margins of the plot
	font                     float64
	signed                   bool // with the question and our name: it is to stand alone
	file                     bool
	pixels                   bool
	times                    string // the layout of times
}

// The shapes: a part of a page, one of a narrow column on a projector, and
// files of their own.
var (
	PacePart   = PaceShape{width: 1200, height: 420, left: 120, right: 28, top: 84, bottom: 60, font: 20, times: clockTimes}
	PaceColumn = PaceShape{width: 480, height: 400, left: 92, right: 16, top: 76, bottom: 52, font: 25, times: "15:04:05"}
	// PaceColumnFile is PaceColumn, fetched by the page's script.
	PaceColumnFile = PaceShape{width: 480, height: 400, left: 92, right: 16, top: 76, bottom: 52, font: 25, times: "15:04:05", file: true}
	PaceSVG        = PaceShape{width: 1200, height: 500, left: 140, right: 48, top: 120, bottom: 104, font: 18, times: clockTimes, signed: true, file: true}
	PacePNG        = PaceShape{width: 1200, height: 500, left: 140, right: 48, top: 120, bottom: 104, font: 18, times: clockTimes, signed: true, file: true, pixels: true}
)

// File says whether the shape is for a file of its own, which may be waited for.
func (s PaceShape) File() bool { return s.file }

const clockTimes = "2006-01-02 15:04:05 UTC"

// PacePicture draws how many had voted when; nil for no pace.
func PacePicture(l *locales.Locale, question string, pace oponn.Pace, shape PaceShape) *Picture {
	if len(pace) < 2 {
		return nil
	}
	first, last := pace[0], pace[len(pace)-1]
	f := &Picture{picture.Figure{Width: int(shape.width), Height: int(shape.height), Title: l.T("pace.title", question),
		Description: l.N("pace.description", last.Voters, l.Clock(first.At), l.Clock(last.At), l.Clock(half(pace)))}}
	if shape.pixels {
		l, question, _ = drawable(l, question, nil)
	}
	f.Box(picture.Rect{Width: shape.width, Height: shape.height}, picture.Ground)
	f.paceHeading(l, question, shape)
	step := tick(last.Voters)
	top := (last.Voters + step - 1) / step * step
	right, bottom := shape.width-shape.right, shape.height-shape.bottom
	place := func(p oponn.Point) picture.Point {
		x := float64(p.At.Sub(first.At)) / float64(last.At.Sub(first.At))
		return picture.Point{X: shape.left + x*(right-shape.left), Y: bottom - float64(p.Voters)/float64(top)*(bottom-shape.top)}
	}
	line := make([]picture.Point, len(pace))
	for i, p := range pace {
		line[i] = place(p)
	}
	end := line[len(line)-1]
	f.Area(append([]picture.Point{{X: shape.left, Y: bottom}}, append(line[:len(line):len(line)], picture.Point{X: end.X, Y: bottom})...), picture.Faint)
	for n := uint64(0); n <= top; n += step {
		y := place(oponn.Point{At: first.At, Voters: n}).Y
		f.Box(picture.Rect{X: shape.left, Y: y - 0.5, Width: right - shape.left, Height: 1}, picture.Line)
		f.Write(picture.Words{Point: picture.Point{X: shape.left - 0.8*shape.font, Y: y + 0.35*shape.font}, Size: shape.font, Anchor: picture.End, Paint: picture.Muted, Text: l.Number(n)})
	}
	f.Stroke(line, 4, picture.Gradient)
	f.Box(picture.Rect{X: end.X - 6, Y: end.Y - 6, Width: 12, Height: 12}, picture.Text)
	moment := func(x float64, at time.Time, anchor picture.Anchor) {
		f.Write(picture.Words{Point: picture.Point{X: x, Y: bottom + 1.7*shape.font}, Size: shape.font, Anchor: anchor, Paint: picture.Muted, Text: at.UTC().Format(shape.times)})
	}
	moment(shape.left, first.At, "")
	moment(right, last.At, picture.End)
	if shape.signed {
		f.foot(l, 0)
	}
	return f
}

// paceHeading says what the chart shows, and of what when it stands alone.
func (f *Picture) paceHeading(l *locales.Locale, question string, shape PaceShape) {
	x, size := margin, 26.0
	if !shape.signed {
		x = 0.8 * shape.font
	}
	f.Write(picture.Words{Point: picture.Point{X: x, Y: 46}, Size: size, Bold: true, Paint: picture.Accent, Text: ">"})
	f.Write(picture.Words{Point: picture.Point{X: x + 1.25*size, Y: 46}, Size: size, Bold: true, Paint: picture.Text, Text: l.T("pace.heading")})
	if shape.signed {
		f.Write(picture.Words{Point: picture.Point{X: x + 1.25*size, Y: 80}, Size: 18, Paint: picture.Muted, Text: picture.FitLine(question, 74)})
	}
}

// half returns when half of the voters had come.
func half(pace oponn.Pace) time.Time {
	all := pace[len(pace)-1].Voters
	for _, p := range pace {
		if p.Voters*2 >= all {
			return p.At
		}
	}
	return pace[len(pace)-1].At
}

// tick returns a round number of which at most five make up all.
func tick(all uint64) uint64 {
	for unit := uint64(1); ; unit *= 10 {
		for _, n := range []uint64{1, 2, 5} {
			if n*unit*5 >= all || unit > all {
				return n * unit
			}
		}
	}
}
