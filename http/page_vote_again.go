package http

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// chosen reads what a form chooses. A text written in counts as chosen without
// its box: a script ticks that, and takes the text away when it is unticked.
func chosen(form url.Values) (ids []oponn.OptionID, writeIn string, err error) {
	writeIn = form.Get("write_in")
	if strings.TrimSpace(writeIn) == "" {
		writeIn = ""
	}
	for _, option := range form["choice"] {
		switch {
		case option == views.WriteIn && writeIn == "":
			return nil, "", oponn.Invalid(oponn.FieldError{Field: "write_in", Code: "required", Message: "Please write in your option."})
		case option != views.WriteIn && option != "":
			ids = append(ids, oponn.OptionID(option))
		}
	}
	return ids, writeIn, nil
}

// shownRevision returns of which revision the question in a form is; nil when
// the form doesn't say.
func shownRevision(form url.Values) *uint32 {
	n, err := strconv.ParseUint(form.Get("revision"), 10, 32)
	if err != nil {
		return nil
	}
	return new(uint32(n))
}

// showEarlier answers a form of somebody who may have voted before: their
// earlier vote counts, unless it can be changed and they say that they want to.
func (s *Server) showEarlier(c echo.Context, id oponn.BallotID, form url.Values, err error) error {
	switch oponn.CodeOf(err) {
	case oponn.CodeAlreadyVoted:
		return s.showVoted(c, id, 0, views.NoticeAlreadyVoted)
	case oponn.CodeVoteIDReused: // by Back, with another choice
		snapshot, resultErr := s.ballots.Result(c.Request().Context(), id, 0)
		if resultErr != nil || !changeable(snapshot) {
			return s.showVoted(c, id, 0, views.NoticeFirstStands)
		}
		form.Set("vote_id", oponn.NewVoteID().String())
	default:
		if receipt, _ := s.receipt(c, id); receipt != nil {
			return s.showVoted(c, id, receipt.Version, views.NoticeTooLate)
		}
	}
	return s.showVoteAgain(c, id, form, err)
}

// castFresh casts a vote, once more when another instance has just edited the
// ballot: then what this one knows of it is old, and the vote was not taken.
func (s *Server) castFresh(ctx context.Context, cast oponn.Cast) (oponn.Receipt, error) {
	receipt, err := s.ballots.Cast(ctx, cast)
	if !errors.Is(err, oponn.ErrStale) {
		return receipt, err
	}
	known, resultErr := s.ballots.Result(ctx, cast.Ballot, 0)
	if resultErr != nil {
		return receipt, err
	}
	if _, err := s.ballots.Result(ctx, cast.Ballot, known.Version+1); err != nil { // asks the store
		return receipt, err
	}
	return s.ballots.Cast(ctx, cast)
}
