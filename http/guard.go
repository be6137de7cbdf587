package http

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// contentPolicy lets pages load our own scripts and styles and nothing else;
// nothing inline, no frames around them.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// hstsAge is a year.
const hstsAge = "max-age=31536000"

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
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				return errDraining()
			}
		}
		return next(c)
	}
}

func (s *Server) protect(r *http.Request, h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	h.Set("Cache-Control", "no-store")
	if s.cfg.Production && s.secure(r) {
		h.Set("Strict-Transport-Security", hstsAge)
	}
	// The API reads no cookies: whoever has a link may read from anywhere.
	if isAPI(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id")
	}
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

func errDraining() error {
	return oponn.Retryable(oponn.CodeDraining, time.Second, nil, "This server is about to restart. Please try again in a moment.")
}
