package http_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

// speaks checks that a page is in a language, by what it says of itself and to
// caches.
func (p page) speaks(t *testing.T, lang string) page {
	t.Helper()
	l := locales.Named(lang)
	root := p.root.FirstChild
	for root.Data != "html" || root.FirstChild == nil {
		root = root.NextSibling
	}
	if got := attribute(root, "lang") + " " + attribute(root, "dir"); got != l.Lang()+" "+l.Dir() {
		t.Errorf("%s says it is in %s, want %s %s", p.path, got, l.Lang(), l.Dir())
	}
	if got := p.header.Get("Content-Language"); got != lang {
		t.Errorf("%s has the content language %q, want %s", p.path, got, lang)
	}
	for _, name := range []string{"Accept-Language", "Cookie"} {
		if vary := p.header.Get("Vary"); !strings.Contains(vary, name) {
			t.Errorf("%s varies by %s, and not by %s", p.path, vary, name)
		}
	}
	return p.says(t, l.T("site.footer"))
}

func (b *browser) prefers(languages string) *browser {
	b.header.Set("Accept-Language", languages)
	return b
}

func TestLanguage(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot()

	t.Run("is the one that the browser prefers", func(t *testing.T) {
		for header, want := range map[string]string{"ja,en;q=0.5": "ja", "ar-EG": "ar", "pt-BR,pt;q=0.9": "pt", "nl": "en", "": "en"} {
			w.browser().prefers(header).open(path).speaks(t, want)
		}
	})
	t.Run("is the one that was chosen", func(t *testing.T) {
		b := w.browser().prefers("ja")
		for _, lang := range []string{"de", "ar", "en"} {
			back := b.submit("/language", fields("language", lang, "back", path+"?choice=2")).want(t, http.StatusOK).speaks(t, lang)
			if back.path != path+"?choice=2" || back.value("choice") != "2" {
				t.Errorf("the switch to %s led to %s", lang, back.path)
			}
			b.open("/new").speaks(t, lang)
		}
	})
	t.Run("is that of the page for what comes into it", func(t *testing.T) {
		b := w.browser().prefers("ja")
		b.submit("/language", fields("language", "de", "back", "/"))
		b.open(path+"?lang=fr").speaks(t, "fr")
		b.open(path).speaks(t, "de")
		back := b.submit("/language", fields("language", "es", "back", path+"?lang=fr&choice=1")).speaks(t, "es")
		if back.path != path+"?choice=1" {
			t.Errorf("the switch led to %s", back.path)
		}
	})
	t.Run("stays when it is unknown", func(t *testing.T) {
		b := w.browser().prefers("fr")
		for _, lang := range []string{"", "tlh", "de-CH", "<script>"} {
			b.submit("/language", fields("language", lang, "back", path)).speaks(t, "fr")
		}
		b.header.Set("Cookie", "oponn_language=../../etc")
		b.open(path).speaks(t, "fr")
	})
}

// The switch leads to our own pages and to nothing else.
func TestLanguage_Back(t *testing.T) {
	w := start(t, tuning{})
	for back, want := range map[string]string{
		"/new": "/new", "/ballots/x/results?after=7": "/ballots/x/results?after=7", "/a%2Fb": "/a%2Fb", "/?q=%C3%A9": "/?q=%C3%A9",
		"": "/", "new": "/", "//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "https://evil.example/": "/",
		"https:evil.example": "/", "javascript:alert(1)": "/", "/%": "/", "/\r\nSet-Cookie: a=b": "/", "/%5cevil.example": "/%5cevil.example",
		"/\t/evil.example": "/", "?a=b": "/", "/x#y": "/x",
	} {
		form := url.Values{"language": {"de"}, "back": {back}}
		r := w.do(request{method: http.MethodPost, path: "/language", body: strings.NewReader(form.Encode()),
			header: head("Content-Type", "application/x-www-form-urlencoded", "Origin", w.url)})
		if r.want(t, http.StatusSeeOther); r.header.Get("Location") != want {
			t.Errorf("%q leads to %q, want %q", back, r.header.Get("Location"), want)
		}
		if got := r.header.Get("Set-Cookie"); got != "oponn_language=de; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax" {
			t.Errorf("the cookie is %s", got)
		}
	}
	// No other site switches.
	r := w.do(request{method: http.MethodPost, path: "/language", body: strings.NewReader("language=de"),
		header: head("Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example")})
	if r.want(t, http.StatusForbidden); r.header.Get("Set-Cookie") != "" {
		t.Error("another site has switched the language")
	}
}

// What is wrong is said in the page's language, and the page that says it can be
// had again in another one. Programs are told in English.
func TestLanguage_Errors(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot()
	for _, lang := range []string{"de", "ja", "ar"} {
		l, b := locales.Named(lang), w.browser().prefers(lang)
		b.open("/ballots/nothing").want(t, http.StatusNotFound).speaks(t, lang).says(t, l.T("problem.not_found.title"))
		id := b.open(path).value("vote_id")
		p := b.submit(path+"/votes", fields("vote_id", id)).want(t, http.StatusUnprocessableEntity).speaks(t, lang).
			says(t, l.T("error.choice.required"), l.N("form.summary", 1)).hides(t, en("error.choice.required"))
		if back := p.value("back"); back != path {
			t.Errorf("the form shown again leads back to %s", back)
		}
		p = b.submit("/ballots", fields("question", "?", "options", "a", "options", "a")).want(t, http.StatusUnprocessableEntity).
			speaks(t, lang).says(t, l.T("error.options.duplicate"))
		if back := p.value("back"); back != "/new" {
			t.Errorf("the form shown again leads back to %s", back)
		}
		wantProblem(t, w.get("/api/v1/ballots/nothing", "Accept-Language", lang), http.StatusNotFound, "not_found")
	}
}

// A stream speaks the language of its page, also after another page of the same
// browser has switched.
func TestLanguage_Streams(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for name, c := range map[string]struct{ query, cookie, header, want string }{
		"of the browser":     {"", "", "fr", "fr"},
		"that was chosen":    {"", "oponn_language=ja", "fr", "ja"},
		"of the page":        {"?" + views.LanguageQuery + "=ar", "oponn_language=ja", "fr", "ar"},
		"of an unknown page": {"?" + views.LanguageQuery + "=tlh", "", "", "en"},
	} {
		l := w.listen(pageLive(b)+c.query, "Accept-Language", c.header, "Cookie", c.cookie)
		if f := l.await(""); !strings.Contains(f.data, locales.Named(c.want).T("status.open")) {
			t.Errorf("%s: the stream isn't in %s: %s", name, c.want, f.data)
		}
		l.leave()
	}
	// htmx is given part of a page, and where to look for the rest of it.
	for _, lang := range []string{"de", "ar"} {
		browser := w.browser().prefers(lang)
		p := browser.open("/ballots/"+b.ID+"/results").want(t, http.StatusOK)
		if !strings.Contains(p.body, "/live?until=gone&amp;after=1&amp;lang="+lang) {
			t.Errorf("the page in %s doesn't ask for its stream in its language", lang)
		}
	}
}

// Numbers and codes may be typed in the digits of any of our languages.
func TestForms_Digits(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	for _, days := range []string{"30", "３０", "٣٠", "۳۰"} {
		owner.makeBallot("retention_days", days, "kind", "approval", "choices_min", "１", "choices_max", "٢")
	}
	path := owner.makeBallot("protection", "codes")
	p := owner.submit(path+"/codes", fields("action", views.ActionMakeCodes, "count", "２")).want(t, http.StatusOK)
	code := strings.Fields(p.value("codes"))[0]
	wide := strings.Map(func(r rune) rune { return r - '!' + '！' }, code)
	voter := w.browser().prefers("ja")
	form := voter.open(path)
	voter.submit(path+"/votes", fields("vote_id", form.value("vote_id"), "choice", "1", "code", " "+wide)).
		want(t, http.StatusOK).says(t, locales.Named("ja").T("receipt.counted"))
}
