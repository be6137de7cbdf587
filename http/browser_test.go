package http_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is one without scripts: it keeps cookies, follows redirects and
// fills in forms.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
	header http.Header
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{t: w.t, base: w.url, client: &http.Client{Jar: jar, Timeout: patience}, header: http.Header{}}
}

// page is what a browser shows.
type page struct {
	reply
	path string // with the query
	root *html.Node
}

func (b *browser) open(path string) page {
	b.t.Helper()
	return b.visit(http.MethodGet, path, nil)
}

// submit sends a form.
func (b *browser) submit(path string, form url.Values) page {
	b.t.Helper()
	return b.visit(http.MethodPost, path, form)
}

func (b *browser) visit(method, path string, form url.Values) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range b.header {
		req.Header[name] = values
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.base)
	}
	response, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{reply: read(b.t, response), path: response.Request.URL.RequestURI()}
	if p.root, err = html.Parse(strings.NewReader(p.body)); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (p page) want(t testing.TB, status int) page {
	t.Helper()
	p.reply.want(t, status)
	return p
}

// says checks that a page's text has each of the words.
func (p page) says(t *testing.T, words ...string) page {
	t.Helper()
	text := p.text()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Fatalf("the page doesn't say %q: %s", word, text)
		}
	}
	return p
}

// hides checks that it has none of them.
func (p page) hides(t *testing.T, words ...string) page {
	t.Helper()
	for _, word := range words {
		if strings.Contains(p.text(), word) {
			t.Fatalf("the page says %q: %s", word, p.text())
		}
	}
	return p
}

func (p page) text() string {
	var b strings.Builder
	for n := range p.root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// value returns the value of a form's field, of the chosen one among radio
// buttons.
func (p page) value(name string) string {
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode || attribute(n, "name") != name {
			continue
		}
		switch _, checked := find(n, "checked"); {
		case n.Data == "textarea" && n.FirstChild != nil:
			return n.FirstChild.Data
		case attribute(n, "type") == "radio" && !checked:
		default:
			return attribute(n, "value")
		}
	}
	return ""
}

// values returns the values of all fields of the name.
func (p page) values(name string) []string {
	var values []string
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "name") == name {
			values = append(values, attribute(n, "value"))
		}
	}
	return values
}

func attribute(n *html.Node, name string) string {
	value, _ := find(n, name)
	return value
}

func find(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// fields makes a form of names and values in turn.
func fields(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// makeBallot fills in the form for a ballot and returns its path.
func (b *browser) makeBallot(pairs ...string) string {
	b.t.Helper()
	p := b.submit("/ballots", fields(append([]string{"question", "Tea or coffee?", "options", "tea", "options", "coffee"}, pairs...)...))
	p.want(b.t, http.StatusOK)
	path, _, found := strings.Cut(p.path, "/results")
	if !found || !strings.HasPrefix(path, "/ballots/") {
		b.t.Fatalf("creating led to %s", p.path)
	}
	return path
}
