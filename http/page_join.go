package http

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
	"github.com/oponn/oponn/views"
)

// An address may try joinBudget join codes that lead nowhere in joinPeriod.
// Those that lead somewhere cost nothing: a whole room may have one address.
const (
	joinBudget = 20
	joinPeriod = 10 * time.Minute
)

// join leads from six digits to the ballot that has them.
func (s *Server) join(c echo.Context) error {
	typed := c.QueryParam("code")
	if len(typed) > 100 {
		typed = ""
	}
	id, err := s.joined(c, typed)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, votePath(id))
	}
	f := newFailure(err)
	home := views.Home{Path: "/", JoinURL: s.joinURL(c.Request()), Typed: typed, Elsewhere: true}
	switch f.Code {
	case oponn.CodeNotFound:
		home.Errors = []oponn.FieldError{{Field: "join", Code: "unknown", Message: f.Message}}
	case oponn.CodeRateLimited:
		home.Errors = []oponn.FieldError{{Field: "join", Code: "limited", Message: f.Message}}
	default:
		return err
	}
	f.announce(c.Response().Header())
	return s.show(c, f.status, views.HomePage(s.page(c), home))
}

// joined returns the open ballot of a code as it was typed.
func (s *Server) joined(c echo.Context, typed string) (oponn.BallotID, error) {
	ctx, address := c.Request().Context(), limit.AddressKey(s.client(c.Request()))
	if s.joinBudget != nil {
		wait, err := s.joinBudget.Take(ctx, address, 1)
		if err != nil {
			return oponn.BallotID{}, err
		}
		if wait > 0 {
			return oponn.BallotID{}, oponn.Retryable(oponn.CodeRateLimited, wait, nil, "Too many wrong codes came from your network. Please wait a little.")
		}
	}
	code, err := oponn.ParseJoinCode(typed)
	if err != nil {
		return oponn.BallotID{}, err
	}
	id, err := s.ballots.Join(ctx, code)
	if s.joinBudget != nil && oponn.CodeOf(err) != oponn.CodeNotFound {
		s.joinBudget.Return(address, 1)
	}
	return id, err
}
