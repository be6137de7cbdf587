package views_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// drawn are pictures in their main states.
func drawn(pixels bool) map[string]*views.Picture {
	// More than are drawn; fewer for pixels, which take their time.
	options := map[bool]int{true: 12, false: 250}[pixels]
	many := views.Result{Status: oponn.Closed, ClosedAt: noon, Votes: 1000}
	for i := range options {
		many.Options = append(many.Options, oponn.Result{Option: oponn.Option{ID: oponn.OptionID(fmt.Sprint(i)), Label: hostile}, Votes: uint64(i)})
	}
	shape := views.PaceSVG
	if pixels {
		shape = views.PacePNG
	}
	closed := result(1204, 861, 2)
	return map[string]*views.Picture{
		"bars":              views.BarsPicture(page.Locale, hostile, closed, pixels),
		"bars without any":  views.BarsPicture(page.Locale, strings.Repeat("質問", 250), result(0, 0), pixels),
		"bars without end":  views.BarsPicture(page.Locale, strings.Repeat("word ", 100), many, pixels),
		"pace":              views.PacePicture(page.Locale, hostile, pace(), shape),
		"pace in a column":  views.PacePicture(page.Locale, hostile, pace(), views.PaceColumn),
		"preview":           views.PreviewPicture(page.Locale, views.Preview{Question: hostile, Status: oponn.Open, Labels: []string{"a", hostile}}),
		"preview, long":     views.PreviewPicture(page.Locale, views.Preview{Question: strings.Repeat("W", 500), Status: oponn.Scheduled, Labels: make([]string, 50)}),
		"preview, Japanese": views.PreviewPicture(page.Locale, views.Preview{Question: "昼食は？", Status: oponn.Open, Labels: []string{"寿司"}}),
		"preview, labels":   views.PreviewPicture(page.Locale, views.Preview{Question: "Lunch?", Status: oponn.Open, Labels: []string{"寿司", "soup"}}),
		"preview, result":   views.PreviewPicture(page.Locale, views.Preview{Question: "Lunch?", Status: oponn.Closed, Result: &many}),
	}
}

func TestPictures_SVG(t *testing.T) {
	for name, picture := range drawn(false) {
		var b bytes.Buffer
		if err := picture.SVG(&b); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 200_000 {
			t.Errorf("%s has %d bytes", name, b.Len())
		}
		texts := 0
		for decoder := xml.NewDecoder(&b); ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				switch e.Name.Local {
				case "svg", "title", "desc", "path", "linearGradient", "stop":
				case "text":
					texts++
				default:
					t.Errorf("%s has an element %s", name, e.Name.Local)
				}
				for _, a := range e.Attr {
					if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
						t.Errorf("%s has an attribute %s", name, a.Name.Local)
					}
				}
			}
		}
		if texts == 0 {
			t.Errorf("%s has no text", name)
		}
	}
}

func TestPictures_PNG(t *testing.T) {
	all := drawn(true)
	for _, name := range []string{"bars", "pace", "preview, Japanese", "preview, result"} { // drawing takes its time under the race detector
		picture := all[name]
		b, err := picture.PNG()
		if err != nil {
			t.Fatal(err)
		}
		image, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || image.Width != picture.Width || image.Height != picture.Height || image.Height > 5000 {
			t.Errorf("%s: %+v, %v", name, image, err)
		}
	}
}

func TestPacePicture_OfNothing(t *testing.T) {
	if views.PacePicture(page.Locale, hostile, nil, views.PaceSVG) != nil {
		t.Error("there is a picture of no votes")
	}
}

// A result is read out in full to those who don't see it.
func TestBarsPicture_Describes(t *testing.T) {
	got := views.BarsPicture(page.Locale, "Lunch?", result(3, 1), false).Description
	if want := "4 votes. tabs: 3 (75.0%). " + hostile + ": 1 (25.0%)."; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func BenchmarkPreview(b *testing.B) {
	picture := drawn(true)["preview"]
	for b.Loop() {
		if _, err := picture.PNG(); err != nil {
			b.Fatal(err)
		}
	}
}
