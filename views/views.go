// Package views draws the pages: templ components and the static assets they
// load. It is given plain data and does no I/O.
//
// Every page is a View: a whole document for a browser that asks for one, or
// only the inner part of its main element for htmx, which puts it in the place
// of the old one. ResultFragment is the third form: what a live result's
// stream pushes to all its viewers alike.
package views

//go:generate go tool templ generate

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/oponn/oponn/views/locales"
)

// Page is what every page needs, whatever it shows.
type Page struct {
	// Locale gives the texts. It must not be nil.
	Locale *locales.Locale
	// Assets gives the addresses of style sheet and scripts. It must not be nil.
	Assets *Assets
	// Now is the server's clock when the page was made. Countdowns run by it,
	// not by the visitor's clock.
	Now time.Time
	// Imprint says that there is an imprint to link to.
	Imprint bool
	// Path is the page's own, with the query: where the switch of languages
	// leads back to.
	Path string
}

// LanguageQuery is the field of a query that names the language of the answer,
// by its Lang: what is put into a page later has to be in the page's.
const LanguageQuery = "lang"

// View is a page ready to be rendered.
type View struct {
	page Page
	// title is the document's, without the site's name.
	title string
	// current is the path of the entry of the navigation that this page is.
	current string
	// refresh is after how many seconds a browser without scripts loads the
	// page again; zero is never.
	refresh int
	// bare leaves out the rest of the site.
	bare bool
	// styles and scripts are assets besides those of all pages.
	styles, scripts []string
	preview         linkPreview
	main            templ.Component
}

// linkPreview is what messengers show of a link.
type linkPreview struct{ title, url, image string }

// previewOf returns the preview of a ballot, given its short link.
func previewOf(question, shareURL string) linkPreview {
	base, id, found := strings.Cut(shareURL, "/b/")
	if !found {
		return linkPreview{}
	}
	return linkPreview{title: question, url: shareURL, image: base + "/ballots/" + id + "/preview.png"}
}

// Lang returns the page's language, as HTML's lang attribute names it.
func (v View) Lang() string { return v.page.Locale.Lang() }

// Document returns the whole page.
func (v View) Document() templ.Component { return document(v) }

// Part returns what stands inside the page's main element, for a request of
// htmx that asks for a part: HX-Request is true and HX-Request-Type is
// partial. It begins with a title element, which htmx makes the document's.
func (v View) Part() templ.Component { return part(v) }

// inLanguage returns the path with the page's language in its query.
func (p Page) inLanguage(path string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + LanguageQuery + "=" + p.Locale.Lang()
}

// t returns a text in the page's language.
func (p Page) t(key string, args ...string) string { return p.Locale.T(key, args...) }

// stamp writes a moment for machines, to the millisecond: the value of a
// datetime attribute.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
