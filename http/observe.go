package http

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// headerRequestID carries the id under which the log knows a request.
const headerRequestID = "X-Request-Id"

// observe gives every request an id and a deadline, answers its errors and
// panics, and writes its line of the log. A stream is logged when it ends.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begin := time.Now()
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		c.Response().Header().Set(headerRequestID, hex.EncodeToString(id[:]))
		if !streams(c) {
			ctx, cancel := context.WithTimeout(c.Request().Context(), s.cfg.Deadline)
			defer cancel()
			c.SetRequest(c.Request().WithContext(ctx))
		}
		if err := s.recovering(c, next); err != nil {
			s.fail(c, err)
		}
		if streams(c) && c.Get(takenOver) != nil {
			return nil // it is logged when the stream ends
		}
		s.cfg.Logger.Log(c.Request().Context(), requestLevel(c.Response().Status), "request", "method", method(c), "route", route(c),
			"status", c.Response().Status, "took", time.Since(begin), "request", hex.EncodeToString(id[:]))
		return nil
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
		s.log(c, slog.LevelError, "handler panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
		if c.Response().Committed {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		err = oponn.Internal(nil)
	}()
	return next(c)
}

// log writes a line that can be found by the request's id.
func (s *Server) log(c echo.Context, level slog.Level, message string, attributes ...any) {
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

// streams says whether the request opens a stream.
func streams(c echo.Context) bool { return strings.HasSuffix(c.Path(), "/live") }
