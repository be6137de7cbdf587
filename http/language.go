package http

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

// routeLanguage is where the switch of languages is sent.
const routeLanguage = "/language"

// languageCookie names the cookie that keeps the language that was chosen. It
// is not signed: whoever forges it has chosen, too.
const languageCookie = "oponn_language"

// locale returns the language of the answer: the one that the query names, so
// that a page and what is sent into it later are in one language; else the one
// that was chosen; else the one that the browser prefers.
func (s *Server) locale(r *http.Request) *locales.Locale {
	if r.URL.RawQuery != "" {
		if l := locales.Named(r.URL.Query().Get(views.LanguageQuery)); l != nil {
			return l
		}
	}
	if cookie, err := r.Cookie(cookieName(languageCookie, s.secure(r))); err == nil {
		if l := locales.Named(cookie.Value); l != nil {
			return l
		}
	}
	return locales.Match(r.Header.Get("Accept-Language"))
}

// chooseLanguage keeps the language that was chosen, and leads back to the
// page where that was.
func (s *Server) chooseLanguage(c echo.Context) error {
	form, err := readForm(c, otherLimit)
	if err != nil {
		return err
	}
	if l := locales.Named(form.Get("language")); l != nil {
		s.setCookie(c, cookieName(languageCookie, s.secure(c.Request())), l.Lang(), int(cookieAge/time.Second))
	}
	return seeOther(c, ownPath(form.Get("back")))
}

// ownPath returns the path, with its query, of one of our pages; that of the
// front page for everything else. What the language was is left out.
func ownPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.HasPrefix(u.Path, "//") || strings.ContainsRune(path, '\\') {
		return "/"
	}
	query := u.Query()
	query.Del(views.LanguageQuery)
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query.Encode()}).RequestURI()
}

// pagePath is where the page that answers a request can be had again: what
// answers a form has no address of its own.
func pagePath(c echo.Context) string {
	r := c.Request()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ownPath(r.URL.RequestURI())
	}
	switch path := ownPath(r.URL.EscapedPath()); {
	case path == "/ballots":
		return "/new"
	case strings.HasSuffix(path, "/votes"):
		return strings.TrimSuffix(path, "/votes")
	case strings.HasSuffix(path, "/codes"):
		return strings.TrimSuffix(path, "/codes") + "/manage"
	default:
		return path
	}
}
