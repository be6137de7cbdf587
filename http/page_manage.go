package http

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showManage shows the owner's page, and others a field for the owner key.
func (s *Server) showManage(c echo.Context) error {
	snapshot, err := s.managed(c)
	if err != nil {
		return err
	}
	if !s.manages(c.Request(), snapshot.Ballot) {
		return s.show(c, http.StatusForbidden, views.KeyPage(s.page(c), snapshot.Ballot.ID.String(), nil))
	}
	return s.show(c, http.StatusOK, views.ManagePage(s.page(c), s.manageView(c, snapshot)))
}

// managed returns the ballot that is about to be managed.
func (s *Server) managed(c echo.Context) (oponn.Snapshot, error) {
	id, err := ballotID(c)
	if err != nil {
		return oponn.Snapshot{}, err
	}
	return s.ballots.Result(c.Request().Context(), id, seen(c))
}

func (s *Server) manageView(c echo.Context, b oponn.Snapshot) views.Manage {
	owner := oponn.Onlooker{Owner: true}
	m := views.Manage{
		ID: b.Ballot.ID.String(), Question: b.Ballot.Definition.Question, Result: resultData(b, owner), Kept: retention(b, owner),
		Done: c.QueryParam("done"), ShareURL: s.shareURL(c, b.Ballot.ID), JoinCode: s.joinCode(c, b),
		Codes: s.codesView(c, b),
	}
	if b.State.Voters == 0 {
		m.Edit = &views.NewBallot{Question: b.Ballot.Definition.Question, Options: b.Ballot.Definition.Labels}
	}
	for _, result := range b.For(owner) {
		if result.Option.WriteIn {
			m.WriteIns = append(m.WriteIns, result)
		}
	}
	return m
}

// manageByForm takes the owner key, or does what the owner asks for.
func (s *Server) manageByForm(c echo.Context) error {
	snapshot, err := s.managed(c)
	if err != nil {
		return err
	}
	form, err := readForm(c, otherLimit)
	if err != nil {
		return err
	}
	id := snapshot.Ballot.ID
	if form.Has("owner_key") {
		if !snapshot.Ballot.Owns(pastedKey(form.Get("owner_key"))) {
			wrong := oponn.FieldError{Field: "owner_key", Code: "wrong", Message: "This is not the ballot's owner key."}
			return s.show(c, http.StatusForbidden, views.KeyPage(s.page(c), id.String(), []oponn.FieldError{wrong}))
		}
		s.takeManager(c, id)
		return seeOther(c, managePath(id))
	}
	if !s.manages(c.Request(), snapshot.Ballot) {
		return s.show(c, http.StatusForbidden, views.KeyPage(s.page(c), id.String(), nil))
	}
	if form.Has("more") {
		view := s.manageView(c, snapshot)
		view.Edit = readEdit(form)
		view.Edit.Rows += moreRows
		return s.show(c, http.StatusOK, views.ManagePage(s.page(c), view))
	}
	action := form.Get("action")
	if action == views.ActionDelete && form.Get("confirm") == "" {
		view := s.manageView(c, snapshot)
		view.Confirm = true
		return s.show(c, http.StatusOK, views.ManagePage(s.page(c), view))
	}
	return s.manage(c, snapshot, action, form)
}

// pastedKey returns the owner key in what was pasted: the key, or the whole
// manage link, which is what a browser without scripts shows in its address.
func pastedKey(text string) string {
	if _, fragment, isLink := strings.Cut(text, "#"); isLink {
		text = fragment
	}
	return strings.TrimSpace(text)
}

// manage does what the owner asks for and shows the page anew.
func (s *Server) manage(c echo.Context, snapshot oponn.Snapshot, action string, form url.Values) error {
	id := snapshot.Ballot.ID
	change, err := s.formChange(c, snapshot, action, form)
	if err == nil {
		err = s.spendByOwner(c.Request().Context(), id)
	}
	var changed oponn.Snapshot
	if err == nil {
		changed, err = s.changeFresh(c.Request().Context(), id, change)
	}
	switch code := oponn.CodeOf(err); {
	case code == oponn.CodeNotFound || code == oponn.CodeGone || code == oponn.CodeInternal:
		return err
	case err != nil:
		f := newFailure(err)
		view := s.manageView(c, snapshot)
		view.Done, view.Window = "", readFormWindow(form)
		if action == views.ActionEdit {
			view.Edit = readEdit(form)
		}
		if view.Errors = f.Fields; len(f.Fields) == 0 {
			view.Problem = f.problem()
		}
		s.logFailure(c, f)
		f.announce(c.Response().Header())
		return s.show(c, f.status, views.ManagePage(s.page(c), view))
	case change.Delete:
		return seeOther(c, "/")
	}
	query := url.Values{"done": {action}, "after": {strconv.FormatUint(changed.Version, 10)}}
	return seeOther(c, managePath(id)+"?"+query.Encode())
}

// formChange returns the change that an action of the owner's page stands for.
func (s *Server) formChange(c echo.Context, b oponn.Snapshot, action string, form url.Values) (oponn.Change, error) {
	option := oponn.OptionID(form.Get("option"))
	switch action {
	case views.ActionEdit:
		edit := readEdit(form)
		return oponn.Change{Question: &edit.Question, Options: edit.Options}, nil
	case views.ActionClose:
		return oponn.Change{Status: oponn.Closed}, nil
	case views.ActionOpen:
		return oponn.Change{Status: oponn.Open}, nil
	case views.ActionHide, views.ActionShow:
		return oponn.Change{WriteIn: &oponn.Showing{Option: option, Hidden: action == views.ActionHide}}, nil
	case views.ActionDelete:
		return oponn.Change{Delete: true}, nil
	case views.ActionExtend:
		return s.extension(c, b, readFormWindow(form))
	default:
		return oponn.Change{}, oponn.Errorf(oponn.CodeMalformed, "There is nothing of this name to do.")
	}
}

// extension moves the closing: so long after the one that was planned, or to a
// time.
func (s *Server) extension(c echo.Context, b oponn.Snapshot, filled views.FormWindow) (oponn.Change, error) {
	begin, err := s.ballots.Now(c.Request().Context())
	if err != nil {
		return oponn.Change{}, err
	}
	zone, wrong := formZone(filled.Zone)
	if wrong != nil {
		return oponn.Change{}, oponn.Invalid(*wrong)
	}
	if b.State.OpensAt.After(begin) {
		begin = b.State.OpensAt
	}
	if b.State.ClosesAt.After(begin) {
		begin = b.State.ClosesAt
	}
	at, wrong := formClosing(filled, begin, zone)
	if wrong != nil {
		return oponn.Change{}, oponn.Invalid(*wrong)
	}
	return oponn.Change{ClosesAt: &at}, nil
}
