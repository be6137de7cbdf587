package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
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
	ctx, address := c.Request().Context(), s.addressKey(c.Request())
	code, err := oponn.ParseJoinCode(typed)
	if err != nil {
		return oponn.BallotID{}, err
	}
	if err := spend(ctx, s.budgets.joins, address, 1, tooManyCodes); err != nil {
		return oponn.BallotID{}, err
	}
	id, err := s.ballots.Join(ctx, code)
	if s.budgets.joins != nil && oponn.CodeOf(err) != oponn.CodeNotFound {
		_ = s.budgets.joins.Return(ctx, address, 1) // whoever wasn't given it back has one attempt less
	}
	return id, err
}
