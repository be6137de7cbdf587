package http

import (
	"context"
	"net/http"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
)

// What may be asked for, of a whole lecture hall behind one address: five
// hundred who open the page, vote and watch within a minute are far from every
// one of these. ADR 17 says how they were chosen.
//
// The rare ones are shared. The frequent ones each instance counts for itself:
// they keep one address, one voter or one owner from taking a whole instance,
// and asking Redis would cost more than what they hold back.
var (
	tokenBudget  = limit.Budget{Name: "tokens", Units: 10_000, Period: time.Minute, Shared: true}    // voter tokens, of an address
	ballotBudget = limit.Budget{Name: "ballots", Units: 600, Period: 10 * time.Minute, Shared: true} // made, of an address
	reportBudget = limit.Budget{Name: "reports", Units: 5, Period: time.Hour, Shared: true}          // of an address
	// Join codes that lead nowhere, of an address: those that lead somewhere
	// cost nothing.
	joinBudget = limit.Budget{Name: "joins", Units: 100, Period: 10 * time.Minute, Shared: true}
	// Voting codes that are no good, of an address: likewise.
	codeBudget = limit.Budget{Name: "codes", Units: 1000, Period: 10 * time.Minute, Shared: true}

	voteBudget   = limit.Budget{Name: "votes", Units: 20_000, Period: time.Minute}   // of an address
	streamBudget = limit.Budget{Name: "streams", Units: 20_000, Period: time.Minute} // opened, of an address
	changeBudget = limit.Budget{Name: "changes", Units: 600, Period: time.Minute}    // by owners, of a ballot
	// Votes that change nothing, of a voter: repeated ones, and refused ones.
	voterBudget = limit.Budget{Name: "voters", Units: 1000, Period: time.Minute}

	// Reports of all addresses together: they are lines of the log. It holds
	// also where limits are off.
	floodBudget = limit.Budget{Name: "flood", Units: 60, Period: time.Minute}
)

// budgets hold back who asks for too much. Those that are nil hold back nobody.
type budgets struct {
	tokens, ballots, reports, joins limit.Limiter
	votes, streams, changes         limit.Limiter
	flood                           limit.Limiter
	codes, voters                   *limit.Failures
}

// newBudgets makes them, each by a limiter.
func newBudgets(on bool, limiter func(limit.Budget) limit.Limiter) budgets {
	if !on {
		return budgets{flood: local(floodBudget)}
	}
	return budgets{
		tokens: limiter(tokenBudget), ballots: limiter(ballotBudget), reports: limiter(reportBudget), joins: limiter(joinBudget),
		votes: limiter(voteBudget), streams: limiter(streamBudget), changes: limiter(changeBudget), flood: limiter(floodBudget),
		codes: limit.NewFailures(limiter(codeBudget), limit.Keys), voters: limit.NewFailures(limiter(voterBudget), limit.Keys),
	}
}

// local makes a limiter within the process.
func local(b limit.Budget) limit.Limiter { return limit.NewLocal(b, limit.Keys) }

// addressKey is the key of who asks.
func (s *Server) addressKey(r *http.Request) string { return limit.AddressKey(s.client(r)) }

// spend takes n units of a key's budget. Its errors are CodeRateLimited, with
// the message, and CodeBusy.
func spend(ctx context.Context, l limit.Limiter, key string, n int, message string) error {
	if l == nil {
		return nil
	}
	wait, err := l.Take(ctx, key, n)
	switch {
	case err != nil:
		return oponn.Retryable(oponn.CodeBusy, time.Second, err, "This can't be answered now. Please try again in a moment.")
	case wait > 0:
		return oponn.Retryable(oponn.CodeRateLimited, wait, nil, message)
	}
	return nil
}

// spendByAddress takes one unit of the budget of the client's address.
func (s *Server) spendByAddress(r *http.Request, l limit.Limiter, message string) error {
	if l == nil { // find out no address
		return nil
	}
	return spend(r.Context(), l, s.addressKey(r), 1, message)
}

// What is said to those who are held back.
const (
	tooManyBallots = "Too many ballots came from your network. Please wait a little."
	tooManyVotes   = "Too many votes came from your network. Please wait a little."
	tooManyCodes   = "Too many wrong codes came from your network. Please wait a little."
	tooManyVoters  = "You have sent this vote too often. Please wait a little."
)

// heldBack says whether too many votes like this one were in vain. As long as
// nobody is held back, that costs a look at a number.
func (s *Server) heldBack(r *http.Request, cast oponn.Cast) error {
	switch b := &s.budgets; {
	case b.voters == nil:
		return nil
	case cast.ByCode:
		if wait := b.codes.Wait(s.addressKey(r)); wait > 0 {
			return oponn.Retryable(oponn.CodeRateLimited, wait, nil, tooManyCodes)
		}
	case b.voters.Any():
		if wait := b.voters.Wait(string(cast.Voter[:])); wait > 0 {
			return oponn.Retryable(oponn.CodeRateLimited, wait, nil, tooManyVoters)
		}
	}
	return nil
}

// settle counts a vote that was in vain: a code that was no good against the
// address, so that guessing ends soon; else a vote that was repeated or refused
// against its voter. A vote that is new and counts is not even looked up.
func (s *Server) settle(ctx context.Context, r *http.Request, cast oponn.Cast, receipt oponn.Receipt, err error) {
	b := &s.budgets
	if b.voters == nil {
		return
	}
	// Counting less exactly, should that fail, is better than another answer.
	switch code := oponn.CodeOf(err); {
	case code == oponn.CodeCodeRefused:
		_ = b.codes.Fail(ctx, s.addressKey(r))
	case receipt.Repeat, code == oponn.CodeAlreadyVoted, code == oponn.CodeVoteIDReused, code == oponn.CodeNotOpen, code == oponn.CodeClosed:
		_ = b.voters.Fail(ctx, string(cast.Voter[:]))
	}
}

// spendByOwner takes one unit of what the owner of a ballot may do with it.
func (s *Server) spendByOwner(ctx context.Context, ballot oponn.BallotID) error {
	return spend(ctx, s.budgets.changes, string(ballot[:]), 1, "This ballot was changed too often. Please wait a little.")
}
