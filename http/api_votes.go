package http

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
)

// castByAPI takes a vote. It may be repeated with the same Idempotency-Key.
func (s *Server) castByAPI(c echo.Context) error {
	r := c.Request()
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	voter, ok := readVoterToken(s.tokens, bearer(r), time.Now())
	if !ok {
		return oponn.Errorf(oponn.CodeVoterRequired, "A vote needs a voter token that has not expired.")
	}
	vote, err := oponn.ParseVoteID(r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	cast := oponn.Cast{Ballot: id, Voter: voter, VoteID: vote}
	if err := readJSON(c, voteLimit, map[string]any{"choices": &cast.Choices, "write_in": &cast.WriteIn}); err != nil {
		return err
	}
	receipt, err := s.ballots.Cast(r.Context(), cast)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if receipt.Repeat {
		status = http.StatusOK
	}
	return writeJSON(c, status, struct {
		VoteID  string  `json:"vote_id"`
		Receipt string  `json:"receipt"`
		Version uint64  `json:"version"`
		At      *string `json:"at"`
	}{receipt.VoteID.String(), receipt.Locator, receipt.Version, moment(receipt.At)})
}

// maxTokens is how many voter tokens one request may ask for.
const maxTokens = 1000

// createVoters hands out voter tokens, to API clients and load tests.
func (s *Server) createVoters(c echo.Context) error {
	var count *int
	if err := readJSON(c, otherLimit, map[string]any{"count": &count}); err != nil {
		return err
	}
	switch {
	case count == nil:
		return oponn.Invalid(oponn.FieldError{Field: "count", Code: "required", Message: "Please say how many tokens you need."})
	case *count < 1 || *count > maxTokens:
		return oponn.Invalid(oponn.FieldError{Field: "count", Code: "out_of_range", Message: "Between 1 and 1000 tokens are given at once."})
	}
	if err := s.spend(c, *count); err != nil {
		return err
	}
	now := time.Now()
	tokens := make([]string, *count)
	for i := range tokens {
		tokens[i] = newVoterToken(s.tokens, now)
	}
	return writeJSON(c, http.StatusCreated, map[string][]string{"tokens": tokens})
}

// spend takes voter tokens from the budget of the client's address.
func (s *Server) spend(c echo.Context, tokens int) error {
	if s.tokenBudget == nil {
		return nil
	}
	wait, err := s.tokenBudget.Take(c.Request().Context(), limit.AddressKey(s.client(c.Request())), tokens)
	switch {
	case err != nil:
		return oponn.Retryable(oponn.CodeBusy, time.Second, err, "This can't be answered now. Please try again in a moment.")
	case wait > 0:
		return oponn.Retryable(oponn.CodeRateLimited, wait, nil, "Too many voter tokens went to your network. Please wait a little.")
	}
	return nil
}
