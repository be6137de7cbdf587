package http

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// Values of headers, made once: nobody changes a header's value in place. The
// policy of pages lets them load our own scripts and styles and nothing else;
// nothing inline, no frames around them. A document of the API loads nothing.
var (
	pagePolicy = []string{"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}
	apiPolicy  = []string{"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
	features   = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"}
	hsts       = []string{"max-age=31536000"} // a year
	sameOrigin = []string{"same-origin"}
	noSniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	anyOrigin  = []string{"*"}
	exposed    = []string{"ETag, Retry-After, X-Request-Id"}
	readers    = []string{"GET, HEAD"}
	asked      = []string{"Authorization, If-None-Match, Last-Event-ID"}
	aDay       = []string{"86400"}
)

// guard sets the headers that protect, and turns away what should not be
// answered at all.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, h := c.Request(), c.Response().Header()
		s.protect(r, h)
		if !s.servesHost(r.Host) {
			return oponn.Errorf(oponn.CodeMalformed, "This server does not serve the host that was asked for.")
		}
		if err := s.crossOrigin.Check(r); err != nil {
			return &oponn.Error{Code: oponn.CodeCrossSite, Message: "This was sent from another site's page.", Cause: err}
		}
		if s.draining.Load() {
			h.Set("Connection", "close")
			if !reads(r) && r.Method != http.MethodOptions {
				return errDraining()
			}
		}
		return next(c)
	}
}

func (s *Server) protect(r *http.Request, h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	if s.cfg.Production && s.secure(r) {
		h["Strict-Transport-Security"] = hsts
	}
	if !isAPI(r) {
		h["Content-Security-Policy"] = pagePolicy
		h["Referrer-Policy"] = sameOrigin
		h["Cross-Origin-Opener-Policy"] = sameOrigin
		h["Permissions-Policy"] = features
		return
	}
	h["Content-Security-Policy"] = apiPolicy
	// The API reads no cookies: whoever has a link may read from anywhere, and
	// with credentials of their own too. Pages of other sites can't write.
	switch {
	case reads(r):
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Expose-Headers"] = exposed
	case r.Method == http.MethodOptions: // a browser asks beforehand
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Allow-Methods"] = readers
		h["Access-Control-Allow-Headers"] = asked
		h["Access-Control-Max-Age"] = aDay
	}
}

// reads says whether a request changes nothing.
func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

func errDraining() error {
	return oponn.Retryable(oponn.CodeDraining, time.Second, nil, "This server is about to restart. Please try again in a moment.")
}
