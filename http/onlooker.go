package http

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// look finds out who looks at a ballot, as far as that decides what they see.
type look func(echo.Context, oponn.Snapshot) (oponn.Onlooker, error)

// browserOnlooker goes by the cookies of a browser.
func (s *Server) browserOnlooker(c echo.Context, b oponn.Snapshot) (oponn.Onlooker, error) {
	as := c.QueryParam("as")
	if as == asAnybody {
		return oponn.Onlooker{}, nil
	}
	if s.manages(c.Request(), b.Ballot) {
		return oponn.Onlooker{Owner: true, Projected: as == asProjector}, nil
	}
	voter, _, ok := s.ballotVoter(c, b.Ballot.ID)
	if !ok || b.Ballot.Definition.Visibility != oponn.VisibleAfterVoting {
		return oponn.Onlooker{}, nil
	}
	return s.votedOnlooker(c.Request().Context(), b, voter)
}

// apiOnlooker goes by the credentials of a program: an owner key, a voter token
// or a code.
func (s *Server) apiOnlooker(c echo.Context, b oponn.Snapshot) (oponn.Onlooker, error) {
	credentials := bearer(c.Request())
	if credentials == "" {
		return oponn.Onlooker{}, nil
	}
	if b.Ballot.Owns(credentials) {
		return oponn.Onlooker{Owner: true}, nil
	}
	if b.Ballot.Definition.Visibility != oponn.VisibleAfterVoting {
		return oponn.Onlooker{}, nil
	}
	voter, ok := readVoterToken(s.tokens, credentials, time.Now())
	if !ok {
		code, err := oponn.ParseVotingCode(credentials)
		if err != nil {
			return oponn.Onlooker{}, nil //nolint:nilerr // whatever it is, it opens nothing
		}
		voter = code.Voter()
	}
	return s.votedOnlooker(c.Request().Context(), b, voter)
}

func (s *Server) votedOnlooker(ctx context.Context, b oponn.Snapshot, voter oponn.VoterID) (oponn.Onlooker, error) {
	receipt, err := s.ballots.Voted(ctx, b.Ballot.ID, voter)
	return oponn.Onlooker{Voted: receipt != nil}, err
}

// streamClass returns the class of whoever opens a stream. Of those without
// cookies and credentials it is known without asking.
func (s *Server) streamClass(c echo.Context, who look) (oponn.Onlooker, error) {
	r := c.Request()
	if r.Header.Get("Cookie") == "" && r.Header.Get("Authorization") == "" {
		return oponn.Onlooker{}, nil
	}
	id, err := ballotID(c)
	if err != nil {
		return oponn.Onlooker{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Deadline)
	defer cancel()
	snapshot, err := s.ballots.Result(ctx, id, 0)
	if err != nil {
		return oponn.Onlooker{}, err
	}
	o, err := who(c, snapshot)
	return snapshot.Ballot.Definition.Class(o), err
}

// resultsHidden is the answer to those who may not see the counts, or not yet.
func resultsHidden(b oponn.Snapshot) error {
	switch b.Ballot.Definition.Visibility {
	case oponn.VisibleAfterVoting:
		return oponn.Errorf(oponn.CodeResultsHidden, "The result is shown to those who have voted.")
	case oponn.VisibleAfterClosing:
		return oponn.Errorf(oponn.CodeResultsHidden, "The result is shown once the ballot is closed.")
	default:
		return oponn.Errorf(oponn.CodeResultsHidden, "The result is shown to the ballot's owner alone.")
	}
}
