package http

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// headerRequestID carries the id under which the log knows a request: a proxy
// that we trust may bring one.
const headerRequestID = "X-Request-Id"

// maxRequestID is the most characters of an id that a proxy may bring.
const maxRequestID = 64

// observe gives every request an id, answers its errors and panics, and writes
// its line of the log. A stream is logged when it ends.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begin := time.Now()
		id := s.requestID(c.Request())
		c.Response().Header()[headerRequestID] = []string{id}
		trace := s.beginTrace(c, id)
		err := s.recovering(c, next)
		if p := pendingIn(c); p != nil && p.keep(err, begin, trace) {
			return nil // it is answered later, or elsewhere
		}
		s.answered(c, err, begin, trace)
		return nil
	}
}

// answered answers an error, and writes and counts what a request came to.
func (s *Server) answered(c echo.Context, err error, begin time.Time, trace oponn.Trace) {
	if err != nil {
		s.fail(c, err)
	}
	ctx, status, took := c.Request().Context(), c.Response().Status, time.Since(begin)
	s.meters.answered(c, status, took)
	if c.Get(takenOver) != nil {
		return // it is logged when the stream ends
	}
	endTrace(trace, status)
	if level := requestLevel(status); s.cfg.Logger.Enabled(ctx, level) {
		s.cfg.Logger.Log(ctx, level, "request", "method", method(c), "route", route(c),
			"status", status, "took", took, "request", c.Response().Header().Get(headerRequestID))
	}
}

// requestID returns the id that a request has, from a proxy that we trust, or
// gets.
func (s *Server) requestID(r *http.Request) string {
	if len(s.cfg.TrustedProxies) > 0 {
		if id := r.Header.Get(headerRequestID); wellFormed(id) && s.byProxy(r) {
			return id
		}
	}
	return newRequestID()
}

// wellFormed says whether an id is one for a log: some letters and digits.
func wellFormed(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, char := range []byte(id) {
		if !inID(char) && char != '.' {
			return false
		}
	}
	return true
}

// known returns a context of the request that knows its id.
func known(ctx context.Context, c echo.Context) context.Context {
	return oponn.WithRequestID(ctx, c.Response().Header().Get(headerRequestID))
}

// named lets whatever a request calls know its id.
func (s *Server) named(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.SetRequest(c.Request().WithContext(known(c.Request().Context(), c)))
		return next(c)
	}
}

// newRequestID returns 64 random bits in hex: enough to be found by in a log,
// and no secret.
func newRequestID() string {
	var bits [8]byte
	var text [2 * len(bits)]byte
	binary.BigEndian.PutUint64(bits[:], rand.Uint64()) //nolint:gosec // chance is all it has to be
	hex.Encode(text[:], bits[:])
	return string(text[:])
}

// bound gives the answer to a request its deadline, and is named as well.
func (s *Server) bound(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.cfg.Deadline)
		defer cancel()
		c.SetRequest(c.Request().WithContext(known(ctx, c)))
		return next(c)
	}
}

// requestLevel is how loud a request's line is: a hot ballot has ten thousand
// a second that went well.
func requestLevel(status int) slog.Level {
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// recovering turns a panic of a handler into an error, and logs where it
// happened.
func (s *Server) recovering(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		if reason == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so, too
			panic(reason)
		}
		s.log(c, slog.LevelError, "handler panicked", "reason", fmt.Sprint(reason), "stack", oponn.Stack())
		if c.Response().Committed {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		err = oponn.Internal(nil)
	}()
	return next(c)
}

// log writes a line that can be found by the request's id. Errors of the
// network name the peer's address, which stays out of it.
func (s *Server) log(c echo.Context, level slog.Level, message string, attributes ...any) {
	peer := c.Request().RemoteAddr
	for i, attribute := range attributes {
		if err, ok := attribute.(error); ok && peer != "" {
			attributes[i] = strings.ReplaceAll(err.Error(), peer, aPeer)
		}
	}
	attributes = append(attributes, "method", method(c), "route", route(c), "request", c.Response().Header().Get(headerRequestID))
	s.cfg.Logger.Log(c.Request().Context(), level, message, attributes...) //nolint:sloglint // the callers' messages are constants
}

// route returns the pattern of the request's path: never the path, which has
// ids in it.
func route(c echo.Context) string {
	if pattern := c.Path(); pattern != "" {
		return pattern
	}
	return "none"
}

// method returns the request's method, if it is one we know: the client writes
// what it likes.
func method(c echo.Context) string {
	switch m := c.Request().Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut, http.MethodOptions:
		return m
	default:
		return "other"
	}
}
