package http

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showReport shows the form that tells the operators of a ballot.
func (s *Server) showReport(c echo.Context) error {
	report, err := s.report(c)
	if err != nil {
		return err
	}
	report.Done = c.QueryParam("done") != ""
	return s.show(c, http.StatusOK, views.ReportPage(s.page(c), report))
}

// report returns the empty form about a ballot.
func (s *Server) report(c echo.Context) (views.Report, error) {
	id, err := ballotID(c)
	if err != nil {
		return views.Report{}, err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return views.Report{}, err
	}
	return views.Report{ID: id.String(), Question: snapshot.Ballot.Definition.Question, Contact: s.cfg.ReportTo}, nil
}

// reportByForm writes a report into the log, where the operators find it.
func (s *Server) reportByForm(c echo.Context) error {
	report, err := s.report(c)
	if err != nil {
		return err
	}
	form, err := readForm(c, otherLimit)
	if err != nil {
		return err
	}
	report.Reason, report.Text = form.Get("reason"), form.Get("text")
	if err = s.takeReport(c, report); err != nil {
		f := newFailure(err)
		if report.Errors = f.Fields; len(f.Fields) == 0 {
			report.Problem = f.problem()
		}
		s.logFailure(c, f)
		f.announce(c.Response().Header())
		return s.show(c, f.status, views.ReportPage(s.page(c), report))
	}
	return seeOther(c, "/ballots/"+report.ID+"/report?done=1")
}

func (s *Server) takeReport(c echo.Context, report views.Report) error {
	text := strings.Join(strings.Fields(report.Text), " ")
	var wrong []oponn.FieldError
	if !slices.Contains(views.ReportReasons, report.Reason) {
		wrong = append(wrong, oponn.FieldError{Field: "reason", Code: "required", Message: "Please say what is wrong with the ballot."})
	}
	if utf8.RuneCountInString(text) > views.MaxReport {
		wrong = append(wrong, oponn.FieldError{Field: "text", Code: "too_long", Message: "This is longer than 500 characters."})
	}
	if len(wrong) > 0 {
		return oponn.Invalid(wrong...)
	}
	const tooMany = "Too many reports came from your network. Please wait a little."
	if err := s.spendByAddress(c.Request(), s.budgets.reports, tooMany); err != nil {
		return err
	}
	if err := spend(c.Request().Context(), s.budgets.flood, "", 1, tooMany); err != nil {
		return err
	}
	s.log(c, slog.LevelWarn, "ballot reported", "ballot", report.ID, "reason", report.Reason, "text", text)
	return nil
}
