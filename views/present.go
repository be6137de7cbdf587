package views

import (
	"strconv"
	"strings"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/picture"
)

// Present is the data of the page for a projector.
type Present struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	Result   Result
	// Version is the head's version that Result shows.
	Version uint64
	// ShareURL is the absolute short link, for the QR code and to be read.
	ShareURL string
	// JoinCode leads here from the front page of Site; empty for none.
	JoinCode oponn.JoinCode
	Site     string
	// Watching is how many people watch the result.
	Watching int
	// Covered hides the result until somebody at the screen reveals it.
	Covered bool
	// Before and After are the owner's ballots next to this one; empty for none.
	Before, After string
	// Pace is the chart of a closed ballot; nil for none.
	Pace *Picture
}

// PresentPage returns the page for a projector: huge, live, and without the
// rest of the site around it.
func PresentPage(p Page, d Present) View {
	v := View{page: p, title: p.t("present.title", d.Question), bare: true, styles: []string{assetPresentCSS}, scripts: []string{assetPresentJS},
		main: presentMain(p, d)}
	if d.Result.Status != oponn.Closed {
		v.refresh = refreshSeconds
	}
	return v
}

// Values of the query results, which covers and uncovers the result.
const (
	ResultsCovered = "hidden"
	ResultsShown   = "shown"
)

// covering returns whether the result is hidden now, as an attribute.
func (d Present) covering() string {
	if d.Covered {
		return ResultsCovered
	}
	return ResultsShown
}

// toggled is what covering would be after the button was pressed.
func (d Present) toggled() string {
	if d.Covered {
		return ResultsShown
	}
	return ResultsCovered
}

// path is the address of the page, of this or of another ballot.
func presentPath(id string) string { return "/ballots/" + id + "/present" }

// liveURL is the address of the page's stream.
func (d Present) liveURL() string {
	return Results{ID: d.ID, Version: d.Version}.liveURL() + "&as=projector"
}

// size says how long the question is, so that a long one is set smaller.
func (d Present) size() string {
	switch n := picture.Columns(d.Question); {
	case n <= 36:
		return "xl"
	case n <= 80:
		return "l"
	case n <= 180:
		return "m"
	default:
		return "s"
	}
}

// readable is a link without what nobody needs to read.
func readable(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	return rest
}

// sparks is how many parts the moment of joy has.
const sparks = 40

func watching(p Page, n int) string { return p.Locale.N("present.watching", uint64(max(n, 0))) }

// Watching is the text about how many watch, for the page's script.
func Watching(p Page, n int) string { return watching(p, n) }

// Embed is the data of the page for frames on other sites.
type Embed struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	Result   Result
	// Version is the head's version that Result shows.
	Version uint64
	// ShareURL is the absolute short link.
	ShareURL string
}

// EmbedPage returns the page for frames: the result that everybody may see, and
// a link to the ballot. It has no form: nobody could tell who asks.
func EmbedPage(p Page, d Embed) View {
	v := View{page: p, title: p.t("result.title", d.Question), bare: true, styles: []string{assetEmbedCSS}, main: embedMain(p, d)}
	if d.Result.Status != oponn.Closed {
		v.refresh = refreshSeconds
	}
	return v
}

func (d Embed) liveURL() string {
	return Results{ID: d.ID, Version: d.Version}.liveURL() + "&as=anybody"
}

// embedCode is the HTML that puts the result into another page.
func embedCode(shareURL string) string {
	base, id, found := strings.Cut(shareURL, "/b/")
	if !found {
		return ""
	}
	return `<iframe src="` + base + "/ballots/" + id + `/embed" width="100%" height="` + strconv.Itoa(embedHeight) + `" title="oponn"></iframe>`
}

// embedHeight suits a ballot of four options.
const embedHeight = 420
