package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/oponn/oponn"
)

// page is how many ids of ballots are asked for at once.
const page = 1000

// audit recounts ballots and writes a line about each.
type audit struct {
	store oponn.Store
	keys  oponn.Keyring
	out   io.Writer

	ballots, bad, gone int
	votes              uint64
}

// all recounts every ballot, in the order of ids.
func (a *audit) all(ctx context.Context) error {
	var after oponn.BallotID
	for {
		ballots, err := a.store.Ballots(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list ballots: %w", err)
		}
		if len(ballots) == 0 {
			return nil
		}
		for _, ballot := range ballots {
			if err := a.one(ctx, ballot); err != nil {
				return err
			}
		}
		after = ballots[len(ballots)-1]
	}
}

// one recounts a ballot. Its error is about the store: what is wrong with the
// ballot is written and counted.
func (a *audit) one(ctx context.Context, ballot oponn.BallotID) error {
	c := count{audit: a}
	err := a.store.Scan(ctx, ballot, func(record oponn.Record) error { return c.begin(ctx, record) }, c.vote)
	var codes []oponn.VoterTag
	if err == nil && c.byCodes {
		codes, err = a.store.Codes(ctx, ballot)
	}
	switch code := oponn.CodeOf(err); {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped: %w", ctx.Err())
	case errors.Is(err, errUnsound):
	case code == oponn.CodeGone:
		a.gone++
		_, err = fmt.Fprintf(a.out, "gone %s  deleted\n", ballot)
		return err
	case code == oponn.CodeNotFound:
		a.bad++
		_, err = fmt.Fprintf(a.out, "BAD  %s  there is no such ballot\n", ballot)
		return err
	case err != nil:
		return fmt.Errorf("read ballot %s: %w", ballot, err)
	default:
		c.faults = append(c.faults, c.recount.Compare(c.head, c.state)...)
		c.faults = append(c.faults, c.recount.CompareCodes(codes)...)
	}
	return a.report(ballot, c)
}

func (a *audit) report(ballot oponn.BallotID, c count) (err error) {
	a.ballots++
	a.votes += c.votes
	if len(c.faults) == 0 {
		_, err = fmt.Fprintf(a.out, "ok   %s  version %d  votes %d\n", ballot, c.head.Version, c.votes)
		return err
	}
	a.bad++
	_, err = fmt.Fprintf(a.out, "BAD  %s  version %d\n", ballot, c.head.Version)
	for _, fault := range c.faults {
		_, err = fmt.Fprintf(a.out, "       %s\n", fault)
	}
	return err
}

// sum writes the last line, and fails when something was wrong.
func (a *audit) sum() error {
	if _, err := fmt.Fprintf(a.out, "sum  ballots %d  votes %d  deleted %d  wrong %d\n", a.ballots, a.votes, a.gone, a.bad); err != nil {
		return err
	}
	if a.bad > 0 {
		return errFailed
	}
	return nil
}

// errUnsound ends the scan of a ballot that can't be recounted.
var errUnsound = errors.New("unsound")

// count is the recount of one ballot.
type count struct {
	audit *audit

	head    oponn.Head
	state   oponn.State
	recount *oponn.Recount
	votes   uint64
	faults  []string
	// byCodes says that whoever votes there has a code.
	byCodes bool
}

// begin opens what the votes are counted against.
func (c *count) begin(ctx context.Context, record oponn.Record) error {
	c.head = record.Head
	key, err := c.audit.keys.Open(ctx, record.Ballot, record.Key)
	if err != nil {
		return c.fault("its key can't be opened", err)
	}
	c.audit.keys.Forget(record.Ballot) // nobody asks again
	ballot, err := oponn.OpenBallot(record, key)
	if err != nil {
		return c.fault("its definition can't be opened", err)
	}
	writeIns, err := oponn.OpenWriteIns(key, record.WriteIns)
	if err != nil {
		return c.fault("a write-in can't be opened", err)
	}
	if c.state, err = oponn.OpenState(key, record.Head); err != nil {
		return c.fault("its result can't be opened", err)
	}
	c.recount, c.byCodes = oponn.NewRecount(ballot, writeIns), ballot.Definition.Protection == oponn.ProtectedByCodes
	return nil
}

// vote counts one more.
func (c *count) vote(vote oponn.LoggedVote) error {
	if err := c.recount.Add(vote); err != nil {
		return c.fault(fmt.Sprintf("the vote at position %d is wrong", vote.Position), err)
	}
	c.votes++
	return nil
}

// fault notes why there is no recount. The reason is for operators: the cause
// of an error, not what it says to voters.
func (c *count) fault(what string, err error) error {
	var coded *oponn.Error
	if errors.As(err, &coded) && coded.Cause != nil {
		err = coded.Cause
	}
	c.faults = append(c.faults, fmt.Sprintf("%s: %v", what, err))
	return errUnsound
}
