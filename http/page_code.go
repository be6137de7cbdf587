package http

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

func codePath(id oponn.BallotID, code oponn.VotingCode) string {
	return votePath(id) + "/codes/" + code.Plain()
}

// openCode takes the code in a link, gives the browser a cookie for it, and
// leads on to the vote page, so that the code stays in no address. That uses
// nothing up, whoever follows the link: whether the code is any good shows when
// somebody votes.
func (s *Server) openCode(c echo.Context) error {
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return err
	}
	path := votePath(id)
	if snapshot.Ballot.Definition.Protection != oponn.ProtectedByCodes {
		return c.Redirect(http.StatusSeeOther, path)
	}
	code, err := oponn.ParsePlainCode(c.Param("code"))
	if err != nil {
		return c.Redirect(http.StatusSeeOther, path+"?code="+views.CodeRefused)
	}
	if !s.imposed(c, id, code.Voter()) {
		s.takeCode(c, id, code.Voter())
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// imposed says whether another site's page leads a browser to a code while it
// holds one that has not voted: it might want the vote to be cast with a code
// that others hold, too.
func (s *Server) imposed(c echo.Context, id oponn.BallotID, voter oponn.VoterID) bool {
	held, holds := s.codeVoter(c, id)
	site := c.Request().Header.Get("Sec-Fetch-Site")
	return holds && held != voter && (site == "cross-site" || site == "same-site") && !s.voted(c, id)
}

// voted says whether the browser, or its code, has voted.
func (s *Server) voted(c echo.Context, id oponn.BallotID) bool {
	receipt, err := s.receipt(c, id)
	return err == nil && receipt != nil
}

// formVoter is who casts the vote in a form.
type formVoter struct {
	voter oponn.VoterID
	// byCode says that it is the voter of a code, and typed that the code came
	// with the form.
	byCode, typed bool
	// known says that the browser has been this voter before: it may hear of
	// the vote that was cast.
	known bool
}

// formVoter finds out who casts the vote in a form. A browser without a
// voter's cookie gets none here: two taps at once would be two voters.
func (s *Server) formVoter(c echo.Context, id oponn.BallotID, form url.Values) (by formVoter, err error) {
	if !form.Has("code") {
		by.voter, by.byCode, by.known = s.ballotVoter(c, id)
		if !by.known {
			err = oponn.Errorf(oponn.CodeVoterRequired, "Votes need cookies, to be counted once.")
		}
		return by, err
	}
	by.byCode, by.typed = true, true
	if strings.TrimSpace(form.Get("code")) == "" {
		return by, oponn.Invalid(requiredCode())
	}
	if by.voter, err = byCode(typed(form.Get("code"))); err == nil {
		holder, holds := s.codeVoter(c, id)
		by.known = holds && holder == by.voter
	}
	return by, err
}

// aboutCode returns what is wrong with a vote that came without a code, or with
// one that is no good, as an error of the field where it is typed.
func aboutCode(err error, b *oponn.Ballot) error {
	switch code := oponn.CodeOf(err); {
	case code == oponn.CodeCodeRefused:
		return oponn.Invalid(refusedCode())
	case code == oponn.CodeVoterRequired && b.Definition.Protection == oponn.ProtectedByCodes:
		return oponn.Invalid(requiredCode())
	default:
		return err
	}
}

func isAboutCode(f failure) bool {
	return slices.ContainsFunc(f.Fields, func(e oponn.FieldError) bool { return e.Field == "code" })
}

func refusedCode() oponn.FieldError {
	return oponn.FieldError{Field: "code", Code: "refused", Message: "This code is not good here, or was used."}
}

func requiredCode() oponn.FieldError {
	return oponn.FieldError{Field: "code", Code: "required", Message: "Please type your code."}
}
