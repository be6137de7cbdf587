package http

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showVote shows the page on which one votes, and gives the browser its
// voter's cookie. Whoever has voted sees the result instead, unless they ask
// to change their vote where that can be done, or to vote with another code.
// The query may name choices to begin with.
func (s *Server) showVote(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, seen(c))
	if err != nil {
		return err
	}
	asked := c.QueryParam("code")
	var receipt *oponn.Receipt
	if asked == "" || snapshot.Ballot.Definition.Protection != oponn.ProtectedByCodes {
		receipt, err = s.receipt(c, id)
	}
	switch {
	case err != nil:
		return err
	case receipt != nil && (!changeable(snapshot) || c.QueryParam("change") == ""):
		return c.Redirect(http.StatusSeeOther, afterPath(id, receipt.Version, ""))
	case receipt != nil && receipt.Version > snapshot.Version: // whoever voted elsewhere has seen that
		if snapshot, err = s.ballots.Result(c.Request().Context(), id, receipt.Version); err != nil {
			return err
		}
	}
	v, err := s.voteView(c, snapshot, s.greetVoter(c.Response(), c.Request()))
	if err != nil {
		return err
	}
	v.VoteID, v.Choices, v.WriteInText = oponn.NewVoteID().String(), c.QueryParams()["choice"], c.QueryParam("write_in")
	if receipt != nil {
		v.Replacing = receipt.Locator
	}
	if v.HoldsCode = v.HoldsCode && asked == ""; asked == views.CodeRefused {
		v.Errors = []oponn.FieldError{refusedCode()}
	}
	// Back shows this very form again, with its vote id: whoever sends it once
	// more votes once. Everything else asks us first.
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	return s.show(c, http.StatusOK, views.VotePage(s.page(c), v))
}

// receipt returns the receipt of this browser's vote, or of its code's; nil
// for none. A store that can't answer now is no reason to show nothing:
// whether somebody may vote is decided when the vote comes.
func (s *Server) receipt(c echo.Context, id oponn.BallotID) (*oponn.Receipt, error) {
	voter, _, ok := s.ballotVoter(c, id)
	if !ok {
		return nil, nil
	}
	receipt, err := s.ballots.Voted(c.Request().Context(), id, voter)
	if err != nil && domainError(err).RetryAfter == 0 {
		return nil, err
	}
	return receipt, nil
}

// changeable says whether votes can be changed now.
func changeable(b oponn.Snapshot) bool {
	return b.Ballot.Definition.AllowChange && b.State.Status == oponn.Open
}

// voteView is the page for a voter.
func (s *Server) voteView(c echo.Context, b oponn.Snapshot, voter oponn.VoterID) (views.Vote, error) {
	o, err := s.browserOnlooker(c, b)
	if err != nil {
		return views.Vote{}, err
	}
	v := views.Vote{
		ID: b.Ballot.ID.String(), Question: b.Ballot.Definition.Question, AllowWriteIn: b.Ballot.Definition.AllowWriteIn, Rules: b.Ballot.Definition.Rules,
		Revision: b.Ballot.Definition.Revision, Status: b.State.Status, HideVotes: !b.ShowsCounts(o),
		OpensAt: b.State.OpensAt, ClosesAt: b.State.ClosesAt, ClosedAt: b.State.ClosedAt,
		ShareURL: s.shareURL(c, b.Ballot.ID),
	}
	if !v.HideVotes {
		v.Votes = b.State.Voters
	}
	v.Options = offered(b, voter)
	_, v.HoldsCode = s.codeVoter(c, b.Ballot.ID)
	return v, nil
}

// offered are the options to choose from, the owner's in the voter's order.
func offered(b oponn.Snapshot, voter oponn.VoterID) []oponn.Option {
	given := b.Ballot.Definition.Options()
	options := make([]oponn.Option, 0, len(given))
	for _, i := range b.Ballot.Order(voter) {
		options = append(options, given[i])
	}
	for _, result := range b.For(oponn.Onlooker{}) {
		if result.Option.WriteIn && result.Standing == oponn.Shown {
			options = append(options, result.Option)
		}
	}
	return options
}

// castByForm takes a vote from the page and shows the result with the receipt.
func (s *Server) castByForm(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	if err := s.spendByAddress(c.Request(), s.budgets.votes, tooManyVotes); err != nil {
		return err
	}
	form, err := readForm(c, voteLimit)
	if err != nil {
		return err
	}
	by, err := s.formVoter(c, id, form)
	if err != nil {
		return s.castFailed(c, id, by, form, err)
	}
	receipt, err := s.castForm(c, id, by, form)
	if err != nil {
		return s.castFailed(c, id, by, form, err)
	}
	if by.typed {
		s.takeCode(c, id, by.voter)
	}
	return s.showVoted(c, id, receipt.Version, "")
}

// castFailed shows the result to whoever has voted, and others the form again.
func (s *Server) castFailed(c echo.Context, id oponn.BallotID, by formVoter, form url.Values, err error) error {
	code := oponn.CodeOf(err)
	switch {
	case by.known && code == oponn.CodeCodeRefused && s.voted(c, id):
		return s.showVoted(c, id, 0, views.NoticeAlreadyVoted)
	case by.known && (code == oponn.CodeAlreadyVoted || code == oponn.CodeVoteIDReused || code == oponn.CodeClosed):
		return s.showEarlier(c, id, form, err)
	case code == oponn.CodeNotFound || code == oponn.CodeGone || code == oponn.CodeInternal:
		return err
	case code == oponn.CodeCodeRefused && !by.typed:
		s.dropCode(c, id)
	}
	return s.showVoteAgain(c, id, form, err)
}

// castForm casts the vote in a form.
func (s *Server) castForm(c echo.Context, id oponn.BallotID, by formVoter, form url.Values) (oponn.Receipt, error) {
	vote, err := oponn.ParseVoteID(form.Get("vote_id"))
	if err != nil {
		return oponn.Receipt{}, err
	}
	cast := oponn.Cast{Ballot: id, Voter: by.voter, VoteID: vote, ByCode: by.byCode, Revision: shownRevision(form)}
	if cast.Choices, cast.WriteIn, err = chosen(form); err != nil {
		return oponn.Receipt{}, err
	}
	r := c.Request()
	if err := s.heldBack(r, cast); err != nil {
		return oponn.Receipt{}, err
	}
	receipt, err := s.castFresh(r.Context(), cast)
	s.settle(r.Context(), r, cast, receipt, err)
	return receipt, err
}

// showVoted shows the result after a vote: for htmx at once, else by another
// request, so that reloading doesn't send the vote again.
func (s *Server) showVoted(c echo.Context, id oponn.BallotID, version uint64, notice views.Notice) error {
	path := afterPath(id, version, notice)
	if !wantsPart(c.Request()) {
		return seeOther(c, path)
	}
	view, err := s.resultsView(c, id, version, notice)
	if err != nil {
		return seeOther(c, path) // the vote is counted, whatever happens to its page
	}
	c.Response().Header().Set("HX-Push-Url", path)
	return s.show(c, http.StatusOK, view)
}

// showVoteAgain shows the page with what was sent and what is wrong with it.
// The vote id stays: the vote may have been counted after all.
func (s *Server) showVoteAgain(c echo.Context, id oponn.BallotID, form url.Values, err error) error {
	snapshot, resultErr := s.ballots.Result(c.Request().Context(), id, 0)
	switch code := oponn.CodeOf(resultErr); {
	case code == oponn.CodeGone || code == oponn.CodeNotFound:
		return resultErr
	case resultErr != nil:
		return err
	}
	f := newFailure(aboutCode(err, snapshot.Ballot))
	voter, _ := s.voter(c.Request())
	v, viewErr := s.voteView(c, snapshot, voter)
	if viewErr != nil {
		return err
	}
	v.HoldsCode = v.HoldsCode && !form.Has("code") && !isAboutCode(f)
	v.Choices, v.WriteInText = form["choice"], form.Get("write_in")
	v.Code = form.Get("code")
	if receipt, _ := s.receipt(c, id); receipt != nil && changeable(snapshot) {
		v.Replacing = receipt.Locator
	}
	if v.Errors = f.Fields; len(f.Fields) == 0 && (f.Code != oponn.CodeVoteIDReused || v.Replacing == "") {
		v.Problem = f.problem()
	}
	if f.Code == oponn.CodeVoterRequired {
		// The form can't be sent again as it is: the cookie comes with the page.
		v.Problem.Back = votePath(id) + "?" + url.Values{"choice": v.Choices, "write_in": {v.WriteInText}}.Encode()
	}
	if vote, err := oponn.ParseVoteID(form.Get("vote_id")); err == nil {
		v.VoteID = vote.String()
	} else {
		v.VoteID = oponn.NewVoteID().String()
	}
	s.logFailure(c, f)
	f.announce(c.Response().Header())
	return s.show(c, f.status, views.VotePage(s.page(c), v))
}
