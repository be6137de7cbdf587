package http

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showResults shows the result, with the receipt of a browser that has voted.
func (s *Server) showResults(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	view, err := s.resultsView(c, id, seen(c), views.Notice(c.QueryParam("notice")))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, view)
}

// resultsView returns the result page, at least at version after. A notice is
// for whoever has voted: in a link that was passed on it means nothing.
func (s *Server) resultsView(c echo.Context, id oponn.BallotID, after uint64, notice views.Notice) (views.View, error) {
	receipt, err := s.receipt(c, id)
	if err != nil {
		return views.View{}, err
	}
	if receipt != nil {
		after = max(after, receipt.Version)
	} else {
		notice = ""
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, after)
	if err != nil {
		return views.View{}, err
	}
	o, err := s.browserOnlooker(c, snapshot)
	if err != nil {
		return views.View{}, err
	}
	if notice == views.NoticeAlreadyVoted && snapshot.Ballot.Definition.AllowChange {
		notice = views.NoticeLastStands
	}
	version := snapshot.Version
	if !snapshot.ShowsCounts(o) {
		version = 0 // it tells how many have voted
	}
	return views.ResultsPage(s.page(c), views.Results{
		ID: id.String(), Question: snapshot.Ballot.Definition.Question, Result: resultData(snapshot, o), Version: version,
		Kept: retention(snapshot, o), ByCodes: snapshot.Ballot.Definition.Protection == oponn.ProtectedByCodes, Owner: o.Owner, ManageURL: s.freshManageURL(c, snapshot.Ballot), Receipt: receipt, Changeable: snapshot.Ballot.Definition.AllowChange, Notice: notice, Created: c.QueryParam("created") != "",
		ShareURL: s.shareURL(c, id), JoinCode: s.joinCode(c, snapshot), Pace: s.paceChart(c, snapshot, o, views.PacePart),
	}), nil
}

// resultData is what all onlookers of a class see alike.
func resultData(b oponn.Snapshot, o oponn.Onlooker) views.Result {
	r := views.Result{Status: b.State.Status, OpensAt: b.State.OpensAt, ClosesAt: b.State.ClosesAt, ClosedAt: b.State.ClosedAt}
	if !b.ShowsCounts(o) {
		r.Hidden = b.Ballot.Definition.Visibility
		return r
	}
	r.Votes, r.Options, r.Every = b.State.Voters, b.For(o), b.Every
	return r
}

// afterPath is the address of the result page for somebody who has seen the
// given version.
func afterPath(id oponn.BallotID, version uint64, notice views.Notice) string {
	query := url.Values{}
	if version > 0 {
		query.Set("after", strconv.FormatUint(version, 10))
	}
	if notice != "" {
		query.Set("notice", string(notice))
	}
	if len(query) == 0 {
		return resultsPath(id)
	}
	return resultsPath(id) + "?" + query.Encode()
}
