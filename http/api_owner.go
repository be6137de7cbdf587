package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// asOwner returns the ballot's id when its owner asks.
func (s *Server) asOwner(c echo.Context) (oponn.BallotID, error) {
	id, err := ballotID(c)
	if err != nil {
		return oponn.BallotID{}, err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return oponn.BallotID{}, err
	}
	if !snapshot.Ballot.Owns(bearer(c.Request())) {
		return oponn.BallotID{}, oponn.Errorf(oponn.CodeOwnerRequired, "Only the owner's key opens this.")
	}
	return id, s.spendByOwner(c.Request().Context(), id)
}

// changeBallot lets the owner close, open and edit a ballot, and move its
// closing.
func (s *Server) changeBallot(c echo.Context) error {
	id, err := s.asOwner(c)
	if err != nil {
		return err
	}
	change, err := readChange(c)
	if err != nil {
		return err
	}
	return s.change(c, id, change)
}

// changeOption lets the owner hide an option that a voter added, or show it.
func (s *Server) changeOption(c echo.Context) error {
	id, err := s.asOwner(c)
	if err != nil {
		return err
	}
	var hidden *bool
	if err := readJSON(c, otherLimit, map[string]any{"hidden": &hidden}); err != nil {
		return err
	}
	if hidden == nil {
		return oponn.Invalid(oponn.FieldError{Field: "hidden", Code: "required", Message: "Please say whether to hide the option."})
	}
	return s.change(c, id, oponn.Change{WriteIn: &oponn.Showing{Option: oponn.OptionID(c.Param("option")), Hidden: *hidden}})
}

// change makes a change and answers with the ballot as it stands then.
func (s *Server) change(c echo.Context, id oponn.BallotID, change oponn.Change) error {
	snapshot, err := s.changeFresh(c.Request().Context(), id, change)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, s.ballotDocument(c, snapshot, oponn.Onlooker{Owner: true}))
}

// deleteBallot lets the owner delete a ballot.
func (s *Server) deleteBallot(c echo.Context) error {
	id, err := s.asOwner(c)
	if err != nil {
		return err
	}
	if _, err := s.ballots.Change(c.Request().Context(), id, oponn.Change{Delete: true}); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// createCodes makes codes for the owner to hand out. They are shown this once.
func (s *Server) createCodes(c echo.Context) error {
	id, err := s.asOwner(c)
	if err != nil {
		return err
	}
	var count *int
	if err := readJSON(c, otherLimit, map[string]any{"count": &count}); err != nil {
		return err
	}
	if count == nil {
		return oponn.Invalid(oponn.FieldError{Field: "count", Code: "required", Message: "Please say how many codes you need."})
	}
	codes, err := s.ballots.NewCodes(c.Request().Context(), id, *count)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return writeJSON(c, http.StatusCreated, map[string][]oponn.VotingCode{"codes": codes})
}

// getReceipt says whether the vote of a receipt counts: never what it chose,
// nor when exactly it came.
func (s *Server) getReceipt(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	counting, err := s.ballots.Counting(c.Request().Context(), id, c.Param("receipt"))
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return err
	}
	o, err := s.apiOnlooker(c, snapshot)
	if err != nil {
		return err
	}
	if !snapshot.ShowsCounts(o) {
		counting.AsOf = 0 // the version tells how many have voted
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	if !counting.Counted {
		return writeJSON(c, http.StatusOK, map[string]bool{"counted": false, "replaced": true})
	}
	return writeJSON(c, http.StatusOK, struct {
		Counted bool    `json:"counted"`
		AsOf    uint64  `json:"as_of,omitempty"`
		Hour    *string `json:"hour"`
	}{true, counting.AsOf, moment(counting.Hour)})
}
