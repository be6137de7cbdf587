package http

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// codeMethod is the one code that concerns HTTP alone.
const codeMethod oponn.Code = "method_not_allowed"

// minSpread and maxSpread bound how much longer than others somebody who was
// refused may be told to wait. Retry-After counts whole seconds: there have to
// be several to choose from.
const (
	minSpread = 3 * time.Second
	maxSpread = 10 * time.Second
)

// statuses says which HTTP status a code stands for.
var statuses = map[oponn.Code]int{
	oponn.CodeMalformed:        http.StatusBadRequest,
	oponn.CodeVoterRequired:    http.StatusUnauthorized,
	oponn.CodeOwnerRequired:    http.StatusForbidden,
	oponn.CodeResultsHidden:    http.StatusForbidden,
	oponn.CodeCodeRefused:      http.StatusForbidden,
	oponn.CodeCrossSite:        http.StatusForbidden,
	oponn.CodeNotFound:         http.StatusNotFound,
	codeMethod:                 http.StatusMethodNotAllowed,
	oponn.CodeGone:             http.StatusGone,
	oponn.CodeAlreadyVoted:     http.StatusConflict,
	oponn.CodeVoteIDReused:     http.StatusConflict,
	oponn.CodeNotOpen:          http.StatusConflict,
	oponn.CodeClosed:           http.StatusConflict,
	oponn.CodeTooLarge:         http.StatusRequestEntityTooLarge,
	oponn.CodeUnsupported:      http.StatusUnsupportedMediaType,
	oponn.CodeInvalid:          http.StatusUnprocessableEntity,
	oponn.CodeRateLimited:      http.StatusTooManyRequests,
	oponn.CodeBusy:             http.StatusServiceUnavailable,
	oponn.CodeStoreUnavailable: http.StatusServiceUnavailable,
	oponn.CodeKeysUnavailable:  http.StatusServiceUnavailable,
	oponn.CodeOutcomeUnknown:   http.StatusServiceUnavailable,
	oponn.CodeDraining:         http.StatusServiceUnavailable,
	oponn.CodeInternal:         http.StatusInternalServerError,
}

// failure is an error as it is answered.
type failure struct {
	*oponn.Error
	status int
	// retryAfter is in whole seconds, spread by chance, so that a crowd that was
	// refused doesn't come back as one; zero for none.
	retryAfter time.Duration
}

func newFailure(err error) failure {
	f := failure{Error: domainError(err)}
	if f.status = statuses[f.Code]; f.status == 0 {
		f.status = http.StatusInternalServerError
	}
	f.retryAfter = f.RetryAfter
	if f.status == http.StatusServiceUnavailable {
		f.retryAfter = max(f.retryAfter, time.Second)
	}
	if f.retryAfter > 0 {
		f.retryAfter += rand.N(min(max(f.retryAfter, minSpread), maxSpread)) //nolint:gosec // chance is all it has to be
		f.retryAfter = (f.retryAfter + time.Second - 1).Truncate(time.Second)
	}
	return f
}

// domainError returns an error of the framework, or of none of our packages,
// as one of ours.
func domainError(err error) *oponn.Error {
	var ours *oponn.Error
	var framework *echo.HTTPError
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return oponn.Retryable(oponn.CodeBusy, time.Second, err, "This took too long. Please try again in a moment.")
	case errors.As(err, &framework) && framework.Code == http.StatusNotFound:
		return oponn.Errorf(oponn.CodeNotFound, "There is nothing here.")
	case errors.As(err, &framework) && framework.Code == http.StatusMethodNotAllowed:
		return oponn.Errorf(codeMethod, "This can't be done here.")
	default:
		return oponn.Internal(err)
	}
}

// announce sets what an answer's head says about a failure.
func (f failure) announce(h http.Header) {
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(f.retryAfter/time.Second)))
	}
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
}

// problem is the failure for people.
func (f failure) problem() *views.Problem {
	p := &views.Problem{Status: f.status, Code: f.Code, RetryAfter: f.retryAfter}
	if f.Code == codeMethod {
		p.Code = oponn.CodeNotFound // to people it is the same
	}
	return p
}

// fail answers with an error, in the manner of what was asked: a problem
// document or a page.
func (s *Server) fail(c echo.Context, err error) {
	f := newFailure(err)
	s.meters.failed(f.Code)
	s.logFailure(c, f)
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	f.announce(h)
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if isAPI(c.Request()) {
		err = writeProblem(c, f)
	} else {
		err = s.show(c, f.status, views.ErrorPage(s.page(c), *f.problem()))
	}
	if err != nil && !c.Response().Committed { // the page of the error can't be drawn: at least its status
		s.log(c, slog.LevelError, "answer not drawn", "error", err)
		_ = c.NoContent(f.status)
	}
}

// logFailure logs what is our fault, or our neighbours'. What we turn away
// for our own reasons has no cause, and its line among the requests is enough.
func (s *Server) logFailure(c echo.Context, f failure) {
	switch {
	case f.status < http.StatusInternalServerError || errors.Is(f.Error, context.Canceled):
	case f.Code == oponn.CodeInternal:
		s.log(c, slog.LevelError, "request failed", "code", string(f.Code), "error", f.Error)
	case f.Cause != nil:
		s.log(c, slog.LevelWarn, "request refused", "code", string(f.Code), "error", f.Error)
	}
}

// problemDocument is an error by RFC 9457.
type problemDocument struct {
	Type   string             `json:"type"`
	Title  string             `json:"title"`
	Status int                `json:"status"`
	Detail string             `json:"detail"`
	Code   oponn.Code         `json:"code"`
	Errors []oponn.FieldError `json:"errors,omitempty"`
}

func writeProblem(c echo.Context, f failure) error {
	body, err := json.Marshal(problemDocument{Type: "about:blank", Title: http.StatusText(f.status),
		Status: f.status, Detail: f.Message, Code: f.Code, Errors: f.Fields})
	if err != nil {
		return err
	}
	return c.Blob(f.status, "application/problem+json", body)
}
