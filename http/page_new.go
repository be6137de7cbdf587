package http

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showNew shows the form for a ballot. It gives the browser its owner's cookie
// already, so that sending the form twice makes no two owners.
func (s *Server) showNew(c echo.Context) error {
	s.greetOwner(c.Response(), c.Request())
	return s.show(c, http.StatusOK, views.NewPage(s.page(c), views.NewBallot{}))
}

// createByForm makes a ballot and shows its result page to whoever made it,
// with link and QR code open; or the form again, with what is wrong.
func (s *Server) createByForm(c echo.Context) error {
	form, err := readForm(c, creationLimit)
	if err != nil {
		return err
	}
	filled := readNewBallot(form)
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
	return seeOther(c, resultsPath(created.Snapshot.Ballot.ID)+"?created=1")
}

func (s *Server) create(c echo.Context, filled views.NewBallot) (oponn.Created, error) {
	r := c.Request()
	draft := oponn.Draft{Question: filled.Question, Options: filled.Options, AllowWriteIn: filled.AllowWriteIn}
	if filled.Closes != views.ClosesNever {
		now, err := s.ballots.Now(r.Context())
		if err != nil {
			return oponn.Created{}, err
		}
		var wrong *oponn.FieldError
		if draft.Window.ClosesAt, wrong = closingTime(filled, now); wrong != nil {
			return oponn.Created{}, invalidBesides(draft, now, *wrong)
		}
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

// readNewBallot reads the form. Empty rows of options are there to be left
// empty.
func readNewBallot(form url.Values) views.NewBallot {
	filled := views.NewBallot{
		Question:     form.Get("question"),
		AllowWriteIn: form.Get("allow_write_in") != "",
		Closes:       form.Get("closes"),
		ClosesAt:     form.Get("closes_at"),
		TZOffset:     form.Get("tz_offset"),
	}
	if filled.Closes == "" {
		filled.Closes = views.ClosesNever
	}
	for _, option := range form["options"] {
		if strings.TrimSpace(option) != "" {
			filled.Options = append(filled.Options, option)
		}
	}
	return filled
}

// maxOffset is farther from UTC, in minutes, than any zone is.
const maxOffset = 24 * 60

// closingTime returns when the ballot shall close, by the store's clock.
func closingTime(filled views.NewBallot, now time.Time) (time.Time, *oponn.FieldError) {
	switch filled.Closes {
	case views.Closes10m:
		return now.Add(10 * time.Minute), nil
	case views.Closes1h:
		return now.Add(time.Hour), nil
	case views.Closes24h:
		return now.Add(24 * time.Hour), nil
	case views.ClosesAt:
	default:
		return time.Time{}, &oponn.FieldError{Field: "closes", Code: "unknown", Message: "Please choose when the ballot closes."}
	}
	if filled.ClosesAt == "" {
		return time.Time{}, &oponn.FieldError{Field: "closes_at", Code: "required", Message: "Please say when the ballot closes."}
	}
	malformed := &oponn.FieldError{Field: "closes_at", Code: "malformed", Message: "This is not a date and time."}
	offset := 0
	if filled.TZOffset != "" {
		var err error
		if offset, err = strconv.Atoi(filled.TZOffset); err != nil || offset < -maxOffset || offset > maxOffset {
			return time.Time{}, malformed
		}
	}
	// Browsers add seconds where they are not zero.
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if local, err := time.Parse(layout, filled.ClosesAt); err == nil {
			return local.Add(time.Duration(offset) * time.Minute), nil
		}
	}
	return time.Time{}, malformed
}
