package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// ownedLimit is how many of a browser's ballots the front page lists at once.
const ownedLimit = 20

// showHome shows the front page with the ballots that this browser owns, a part
// of them at a time. The query names the ballot beside which the part begins;
// one that is not there any more begins the list anew.
func (s *Server) showHome(c echo.Context) error {
	home := views.Home{Path: c.Request().URL.RequestURI(), JoinURL: s.joinURL(c.Request())}
	owner, ok := s.owner(c.Request())
	if !ok {
		return s.show(c, http.StatusOK, views.HomePage(s.page(c), home))
	}
	var owned oponn.OwnedPage
	edge, err := listEdge(c)
	if err == nil {
		owned, err = s.ballots.Owned(c.Request().Context(), owner, edge, ownedLimit)
	}
	switch code := oponn.CodeOf(err); {
	case code == oponn.CodeNotFound || code == oponn.CodeGone:
		return seeOther(c, "/")
	case err != nil:
		return err
	}
	for _, b := range owned.Ballots {
		home.Ballots = append(home.Ballots, views.Summary{ID: b.Ballot.ID.String(), Question: b.Ballot.Definition.Question,
			Status: b.State.Status, Votes: b.State.Voters, OpensAt: b.State.OpensAt, ClosesAt: b.State.ClosesAt})
	}
	home.Newer, home.Older = owned.Newer, owned.Older
	return s.show(c, http.StatusOK, views.HomePage(s.page(c), home))
}

// listEdge reads where the part of the list begins that is asked for.
func listEdge(c echo.Context) (oponn.Edge, error) {
	before, after := c.QueryParam("before"), c.QueryParam("after")
	switch {
	case before != "":
		id, err := oponn.ParseBallotID(before)
		return oponn.Edge{Ballot: id}, err
	case after != "":
		id, err := oponn.ParseBallotID(after)
		return oponn.Edge{Ballot: id, Newer: true}, err
	default:
		return oponn.Edge{}, nil
	}
}
