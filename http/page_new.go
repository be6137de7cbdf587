package http

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showNew shows the form for a ballot. It gives the browser its owner's cookie
// already, so that sending the form twice makes no two owners. The query may
// name a ballot to begin with.
func (s *Server) showNew(c echo.Context) error {
	var filled views.NewBallot
	if from := c.QueryParam("from"); from != "" {
		id, err := oponn.ParseBallotID(from)
		if err != nil {
			return err
		}
		snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
		if err != nil {
			return err
		}
		filled = formLike(snapshot.Ballot.Definition)
	}
	s.greetOwner(c.Response(), c.Request())
	return s.show(c, http.StatusOK, views.NewPage(s.page(c), filled))
}

// moreRows is how many rows for options a browser without scripts asks for at
// once.
const moreRows = 10

// createByForm makes a ballot and shows its result page to whoever made it,
// with link and QR code open; or the form again, with what is wrong.
func (s *Server) createByForm(c echo.Context) error {
	form, err := readForm(c, creationLimit)
	if err != nil {
		return err
	}
	filled := readNewBallot(form)
	if form.Has("more") {
		filled.Rows += moreRows
		return s.show(c, http.StatusOK, views.NewPage(s.page(c), filled))
	}
	created, err := s.create(c, filled)
	if err != nil {
		f := newFailure(err)
		if f.Code == oponn.CodeInternal {
			return err
		}
		if filled.Errors = f.Fields; len(f.Fields) == 0 {
			filled.Problem = f.problem()
		}
		s.logFailure(c, f)
		f.announce(c.Response().Header())
		return s.show(c, f.status, views.NewPage(s.page(c), filled))
	}
	s.lendKey(c, created)
	return seeOther(c, resultsPath(created.Snapshot.Ballot.ID)+"?created=1")
}

func (s *Server) create(c echo.Context, filled views.NewBallot) (oponn.Created, error) {
	r := c.Request()
	now, err := s.ballots.Now(r.Context())
	if err != nil {
		return oponn.Created{}, err
	}
	draft, wrong := formDraft(filled, now)
	if len(wrong) > 0 {
		return oponn.Created{}, invalidBesides(draft, now, wrong...)
	}
	if err := s.spendByAddress(r, s.budgets.ballots, tooManyBallots); err != nil {
		return oponn.Created{}, err
	}
	return s.ballots.Create(r.Context(), draft, s.greetOwner(c.Response(), r))
}

// invalidBesides returns one error about everything that is wrong in a draft
// and about a field that never came into it.
func invalidBesides(draft oponn.Draft, now time.Time, wrong ...oponn.FieldError) error {
	if _, _, err := draft.Check(now); err != nil {
		wrong = append(domainError(err).Fields, wrong...)
	}
	return oponn.Invalid(wrong...)
}
