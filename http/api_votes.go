package http

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// castByAPI takes a vote. It may be repeated with the same Idempotency-Key.
func (s *Server) castByAPI(c echo.Context) error {
	r := c.Request()
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	cast := oponn.Cast{Ballot: id}
	code, err := readChoice(c, &cast)
	voter, ok := readVoterToken(s.tokens, bearer(r), time.Now())
	if pendingIn(c) != nil && (!ok || code != "") {
		return errElsewhere
	}
	if err := s.spendByAddress(r, s.budgets.votes, tooManyVotes); err != nil {
		return err
	}
	switch {
	case !ok && code == "":
		// Of a ballot that was deleted everything says so.
		if _, err := s.ballots.Result(r.Context(), id, 0); oponn.CodeOf(err) == oponn.CodeGone {
			return err
		}
		return oponn.Errorf(oponn.CodeVoterRequired, "A vote needs a voter token that has not expired, or a code.")
	case err != nil:
		return err
	}
	if cast.Voter = voter; code != "" {
		if cast.Voter, err = byCode(code); err != nil {
			return err
		}
		cast.ByCode = true
	}
	if cast.VoteID, err = oponn.ParseVoteID(r.Header.Get("Idempotency-Key")); err != nil {
		return err
	}
	if err := s.heldBack(r, cast); err != nil {
		return err
	}
	ctx := s.detached(c)
	if p := pendingIn(c); p != nil {
		p.ctx, p.cast, p.request = ctx, cast, r
		return errPending
	}
	receipt, err := s.ballots.Cast(ctx, cast)
	return s.answerCast(ctx, c, cast, receipt, err)
}

// answerCast answers a vote whose outcome is known.
func (s *Server) answerCast(ctx context.Context, c echo.Context, cast oponn.Cast, receipt oponn.Receipt, err error) error {
	s.settle(ctx, c.Request(), cast, receipt, err)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if receipt.Repeat || receipt.Replaces != "" {
		status = http.StatusOK
	}
	return writeReceipt(c, status, receipt)
}

// detached returns a context that knows a request's id and trace and does not
// end with it: whether or not its sender waits for the answer, a vote that has
// come is cast, and nothing has to watch for the sender's leaving. (It is not
// context.WithoutCancel, through whose layers every question would have to go.)
func (s *Server) detached(c echo.Context) context.Context {
	ctx := context.Background()
	if s.cfg.Tracer != nil {
		if trace := oponn.TraceOf(c.Request().Context()); trace != nil {
			ctx = oponn.WithTrace(ctx, trace)
		}
	}
	return known(ctx, c)
}

// byCode returns the voter that a code stands for.
func byCode(text string) (oponn.VoterID, error) {
	code, err := oponn.ParseVotingCode(text)
	return code.Voter(), err
}

// readChoice reads what a vote chooses, and the code with which it comes.
func readChoice(c echo.Context, cast *oponn.Cast) (code string, err error) {
	body, err := readBody(c, mediaJSON, voteLimit)
	if err != nil {
		return "", err
	}
	if option, ok := soleChoice(body); ok {
		cast.Choices = []oponn.OptionID{option}
		return "", nil
	}
	var given *string
	if err := parseJSON(body, map[string]any{"choices": &cast.Choices, "write_in": &cast.WriteIn, "code": &given, "revision": &cast.Revision}); err != nil || given == nil {
		return "", err
	}
	if *given == "" {
		return " ", nil // a code, though not one that is any good
	}
	return *given, nil
}

// soleChoice reads the body of nearly every vote, {"choices":["1"]}, for a
// tenth of what reading JSON costs. Whatever looks different may be as good,
// but is not for it to say.
func soleChoice(body []byte) (option oponn.OptionID, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(`{"choices":["`))
	if !ok {
		return "", false
	}
	id, ok := bytes.CutSuffix(rest, []byte(`"]}`))
	if !ok {
		return "", false
	}
	if !allOf(id, inID) {
		return "", false
	}
	return oponn.OptionID(id), true
}

// writeReceipt answers a vote. It writes the JSON itself: nothing in it needs
// escaping, and this is what a hot ballot answers ten thousand times a second.
func writeReceipt(c echo.Context, status int, receipt oponn.Receipt) error {
	kept := receiptBodies.Get().(*[]byte)
	defer receiptBodies.Put(kept)
	body := (*kept)[:0]
	body = append(body, `{"vote_id":"`...)
	body = append(body, receipt.VoteID.String()...)
	body = append(append(body, `","receipt":"`...), receipt.Locator...)
	body = strconv.AppendUint(append(body, `","version":`...), receipt.Version, 10)
	body = receipt.At.UTC().AppendFormat(append(body, `,"at":"`...), time.RFC3339Nano)
	if receipt.Replaces != "" {
		body = append(append(body, `","replaces":"`...), receipt.Replaces...)
	}
	body = append(body, `"}`...)
	*kept = body
	w := c.Response()
	w.Header()[echo.HeaderContentType] = contentJSON
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// receiptBodies are buffers for what writeReceipt writes.
var receiptBodies = sync.Pool{New: func() any { return new(make([]byte, 0, 256)) }}

// contentJSON is a header's value, made once.
var contentJSON = []string{mediaJSON}

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
	if r := c.Request(); s.budgets.tokens != nil {
		err := spend(r.Context(), s.budgets.tokens, s.addressKey(r), *count, "Too many voter tokens went to your network. Please wait a little.")
		if err != nil {
			return err
		}
	}
	now := time.Now()
	tokens := make([]string, *count)
	for i := range tokens {
		tokens[i] = newVoterToken(s.tokens, now)
	}
	return writeJSON(c, http.StatusCreated, map[string][]string{"tokens": tokens})
}
