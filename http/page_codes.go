package http

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// codesByForm makes codes for the owner and shows them, this once. What the
// page has of them it may send back, to have it in another form: nobody else
// remembers them.
func (s *Server) codesByForm(c echo.Context) error {
	snapshot, err := s.managed(c)
	if err != nil {
		return err
	}
	if !s.manages(c.Request(), snapshot.Ballot) {
		return s.show(c, http.StatusForbidden, views.KeyPage(s.page(c), snapshot.Ballot.ID.String(), nil))
	}
	form, err := readForm(c, creationLimit)
	if err != nil {
		return err
	}
	switch form.Get("action") {
	case views.ActionMakeCodes:
		return s.makeCodes(c, snapshot, form)
	case views.ActionCodeSheet, views.ActionCodeTable:
		codes, err := formCodes(form)
		if err != nil {
			return err
		}
		if form.Get("action") == views.ActionCodeTable {
			return s.sendCodeTable(c, snapshot.Ballot.ID, codes)
		}
		return s.showCodes(c, snapshot.Ballot, codes)
	default:
		return oponn.Errorf(oponn.CodeMalformed, "There is nothing of this name to do.")
	}
}

// makeCodes makes as many codes as a form asks for.
func (s *Server) makeCodes(c echo.Context, b oponn.Snapshot, form url.Values) error {
	count, err := strconv.Atoi(typed(form.Get("count")))
	if err != nil {
		count = 0 // out of range
	}
	var codes []oponn.VotingCode
	if err = s.spendByOwner(c.Request().Context(), b.Ballot.ID); err == nil {
		codes, err = s.ballots.NewCodes(c.Request().Context(), b.Ballot.ID, count)
	}
	if err == nil {
		return s.showCodes(c, b.Ballot, codes)
	}
	f := newFailure(err)
	if f.Code == oponn.CodeNotFound || f.Code == oponn.CodeGone || f.Code == oponn.CodeInternal {
		return err
	}
	view := s.manageView(c, b)
	if view.Done = ""; view.Codes != nil {
		view.Codes.Count = form.Get("count")
	}
	if view.Errors = f.Fields; len(f.Fields) == 0 {
		view.Problem = f.problem()
	}
	s.logFailure(c, f)
	f.announce(c.Response().Header())
	return s.show(c, f.status, views.ManagePage(s.page(c), view))
}

// formCodes reads codes that a page of codes sends back.
func formCodes(form url.Values) ([]oponn.VotingCode, error) {
	fields := strings.Fields(form.Get("codes"))
	if len(fields) == 0 || len(fields) > oponn.MaxNewCodes {
		return nil, oponn.Errorf(oponn.CodeMalformed, "These are no codes.")
	}
	codes := make([]oponn.VotingCode, len(fields))
	for i, field := range fields {
		var err error
		if codes[i], err = oponn.ParseVotingCode(field); err != nil {
			return nil, oponn.Errorf(oponn.CodeMalformed, "These are no codes.")
		}
	}
	return codes, nil
}

// showCodes shows codes on a sheet to print, the first ones of many.
func (s *Server) showCodes(c echo.Context, b *oponn.Ballot, codes []oponn.VotingCode) error {
	base := s.shareBase(c.Request())
	return s.show(c, http.StatusOK, views.CodesPage(s.page(c), views.Codes{
		ID: b.ID.String(), Question: b.Definition.Question, All: codes,
		Site: strings.TrimPrefix(strings.TrimPrefix(base, "https://"), "http://"),
		Link: func(code oponn.VotingCode) string { return base + codePath(b.ID, code) },
	}))
}

// sendCodeTable sends codes and their links as a file (RFC 4180).
func (s *Server) sendCodeTable(c echo.Context, ballot oponn.BallotID, codes []oponn.VotingCode) error {
	base := s.shareBase(c.Request())
	var table strings.Builder
	w := csv.NewWriter(&table)
	w.UseCRLF = true
	_ = w.Write([]string{"code", "link"}) // a Builder never fails
	for _, code := range codes {
		_ = w.Write([]string{string(code), base + codePath(ballot, code)})
	}
	w.Flush()
	c.Response().Header().Set("Content-Disposition", `attachment; filename="codes-`+ballot.String()+`.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", []byte(table.String()))
}

// codesView is what the owner's page says about codes; nil where none vote.
func (s *Server) codesView(c echo.Context, b oponn.Snapshot) *views.ManageCodes {
	if b.Ballot.Definition.Protection != oponn.ProtectedByCodes {
		return nil
	}
	// Not knowing how many there are is no reason to show no page.
	count, err := s.ballots.CountCodes(c.Request().Context(), b.Ballot.ID)
	if err != nil {
		s.logFailure(c, newFailure(err))
		count = -1
	}
	return &views.ManageCodes{Made: count, Used: b.State.Voters}
}
