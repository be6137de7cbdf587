package views

import (
	"strconv"
	"strings"

	"github.com/oponn/oponn/views/openapi"
)

// Docs is the data of the page about the API.
type Docs struct {
	Document *openapi.Document
	// Base is the server's address, for commands that can be copied.
	Base string
}

// DocsPage returns the page about the API. The document's own texts are in
// English, whatever the page's language.
func DocsPage(p Page, d Docs) View {
	return View{page: p, title: p.t("docs.title"), current: "/docs", main: docsMain(p, d)}
}

// failures are the answers that are errors.
func failures(o openapi.Operation) (all []openapi.Answer) {
	for _, a := range o.Answers {
		if a.Failed() {
			all = append(all, a)
		}
	}
	return all
}

// successes are the others.
func successes(o openapi.Operation) (all []openapi.Answer) {
	for _, a := range o.Answers {
		if !a.Failed() {
			all = append(all, a)
		}
	}
	return all
}

// kibibytes writes the limit of a body.
func kibibytes(n int64) string { return strconv.FormatInt(n>>10, 10) + " KiB" }

// pathParts takes a path apart where it may be broken.
func pathParts(path string) []string { return strings.SplitAfter(path, "/") }

// title says what an example is about.
func title(e openapi.Example) string {
	if e.Summary != "" {
		return e.Summary
	}
	return e.Name
}
