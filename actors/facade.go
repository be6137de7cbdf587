package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oponn/oponn"
)

// Create checks a draft and opens a ballot. Errors are CodeInvalid,
// CodeKeysUnavailable, CodeStoreUnavailable, CodeBusy, CodeDraining.
func (s *System) Create(ctx context.Context, draft oponn.Draft, owner oponn.OwnerID) (oponn.Created, error) {
	id := oponn.NewBallotID()
	ticket, err := s.admission.enter(id, true)
	if err != nil {
		return oponn.Created{}, err
	}
	defer ticket.release()
	now, err := s.Now(ctx)
	if err != nil {
		return oponn.Created{}, err
	}
	definition, window, err := draft.Check(now)
	if err != nil {
		return oponn.Created{}, err
	}
	wrapped, key, err := s.cfg.Keys.Create(ctx, id)
	if err != nil {
		return oponn.Created{}, storeError(err)
	}
	state := oponn.FirstState(definition, window)
	secret, hash := oponn.NewOwnerKey()
	record := oponn.Record{Ballot: id, OwnerKey: hash, Owner: owner.Hash(), Key: wrapped,
		Head: oponn.Head{Ballot: id, Version: 1, ExpiresAt: definition.FirstExpiry(state, now)}}
	if record.Definition, err = oponn.SealDefinition(key, definition); err != nil {
		return oponn.Created{}, err
	}
	if record.Head.Sealed, err = state.Seal(key, 1); err != nil {
		return oponn.Created{}, err
	}
	at, err := s.cfg.Store.Create(ctx, record)
	if err != nil {
		return oponn.Created{}, storeError(err)
	}
	ballot := &oponn.Ballot{ID: id, CreatedAt: at, Definition: definition, Key: key, OwnerKey: hash, Owner: record.Owner}
	return oponn.Created{OwnerKey: secret, Snapshot: oponn.Snapshot{Ballot: ballot, Version: 1, State: state, ExpiresAt: record.Head.ExpiresAt}}, nil
}

// Cast casts a vote and returns its receipt once it is committed. Sent again
// with the same vote id and choice, by whatever way, it returns the same
// receipt. Errors are those of oponn.Outcome and of Choose, CodeNotFound and
// CodeGone, CodeBusy and CodeDraining when nothing was tried, and
// CodeOutcomeUnknown when the context ended or the answer was lost: then send
// the same again.
func (s *System) Cast(ctx context.Context, cast oponn.Cast) (receipt oponn.Receipt, err error) {
	defer func() { s.meters.votes.answered(receipt, err) }()
	m := &castVote{cast: cast}
	if err := m.admit(ctx, s, cast.Ballot, true, errUntold); err != nil {
		return oponn.Receipt{}, err
	}
	m.journey.begin(oponn.TraceOf(ctx))
	s.post(m.admitted, m)
	outcome, err := m.wait(ctx)
	if err != nil {
		return oponn.Receipt{}, err
	}
	return outcome.receipt(), nil
}

// CastThen is Cast for whoever doesn't wait: told is called once, from whatever
// goroutine and perhaps before CastThen returns, and must not block. The end of
// the context is not looked at. With an error, CodeBusy or CodeDraining, nothing
// was tried and nothing will be told.
func (s *System) CastThen(ctx context.Context, cast oponn.Cast, told func(oponn.Casting)) error {
	m := &castVote{cast: cast}
	m.then = func() { told(m) }
	if err := m.admit(ctx, s, cast.Ballot, true, errUntold); err != nil {
		s.meters.votes.answered(oponn.Receipt{}, err)
		return err
	}
	m.journey.begin(oponn.TraceOf(ctx))
	s.post(m.admitted, m)
	return nil
}

// Receipt implements oponn.Casting.
func (m *castVote) Receipt() (receipt oponn.Receipt, err error) {
	if err = m.err; err == nil {
		receipt = m.value.receipt()
	}
	m.system.meters.votes.answered(receipt, err)
	return receipt, err
}

// Result returns a ballot as it stands: at least at version after, when the
// store has that, and never older than Config.Freshness.
func (s *System) Result(ctx context.Context, ballot oponn.BallotID, after uint64) (oponn.Snapshot, error) {
	m := &getResult{reading: reading{after: after}}
	if err := m.admit(ctx, s, ballot, false, errLate); err != nil {
		return oponn.Snapshot{}, err
	}
	s.post(m.admitted, m)
	return m.wait(ctx)
}

// Voted returns the receipt of a voter's last vote on a ballot, or nil.
func (s *System) Voted(ctx context.Context, ballot oponn.BallotID, voter oponn.VoterID) (*oponn.Receipt, error) {
	snapshot, err := s.Result(ctx, ballot, 0)
	if err != nil {
		return nil, err
	}
	votes, err := s.cfg.Store.Votes(ctx, ballot, snapshot.Ballot.Key.VoterTag(voter))
	if err != nil {
		return nil, storeError(err)
	}
	if len(votes) == 0 {
		return nil, nil
	}
	receipt := snapshot.Ballot.Receipt(votes[len(votes)-1], true)
	return &receipt, nil
}

// Counting says whether the vote of a receipt counts. A receipt of nothing is
// CodeNotFound.
func (s *System) Counting(ctx context.Context, ballot oponn.BallotID, receipt string) (oponn.Counting, error) {
	snapshot, err := s.Result(ctx, ballot, 0)
	if err != nil {
		return oponn.Counting{}, err
	}
	tag, revision, err := snapshot.Ballot.Key.ReadLocator(receipt)
	if err != nil {
		return oponn.Counting{}, err
	}
	votes, err := s.cfg.Store.Votes(ctx, ballot, tag)
	if err != nil {
		return oponn.Counting{}, storeError(err)
	}
	return snapshot.Ballot.Counting(revision, votes, snapshot.Version)
}

// NewCodes makes codes that let somebody vote on a ballot that is protected by
// codes; CodeInvalid for another one. What is stored of them are tags. Of
// codes that were made but not returned nobody knows.
func (s *System) NewCodes(ctx context.Context, ballot oponn.BallotID, count int) ([]oponn.VotingCode, error) {
	ticket, err := s.admission.enter(ballot, true)
	if err != nil {
		return nil, err
	}
	defer ticket.release()
	snapshot, err := s.Result(ctx, ballot, 0)
	if err != nil {
		return nil, err
	}
	codes, tags, err := snapshot.Ballot.NewCodes(count)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.AddCodes(ctx, ballot, tags); err != nil {
		return nil, storeError(err)
	}
	return codes, nil
}

// CountCodes returns how many codes a ballot has.
func (s *System) CountCodes(ctx context.Context, ballot oponn.BallotID) (int, error) {
	count, err := s.cfg.Store.CountCodes(ctx, ballot)
	if err != nil {
		return 0, storeError(err)
	}
	return count, nil
}

// Change changes a ballot and returns it as it stands then; once it is
// deleted, as it stood. The caller has checked that the owner asks. Errors are
// CodeInvalid, CodeClosed, CodeNotFound also for an option, CodeGone, and
// those of Cast about waiting.
func (s *System) Change(ctx context.Context, ballot oponn.BallotID, change oponn.Change) (oponn.Snapshot, error) {
	m := &changeBallot{change: change}
	if err := m.admit(ctx, s, ballot, true, errUntold); err != nil {
		return oponn.Snapshot{}, err
	}
	s.post(m.admitted, m)
	return m.wait(ctx)
}

// Watch opens a stream: the viewer's sink gets a frame of the current version,
// if that is news to the viewer, and then whatever follows, until it says that
// it is done. Errors are CodeNotFound, CodeGone, CodeBusy, CodeDraining and
// CodeStoreUnavailable; the sink is not used any more then.
func (s *System) Watch(ctx context.Context, ballot oponn.BallotID, viewer oponn.Viewer) (oponn.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	m := &openStream{viewer: viewer}
	late := errLate()
	if err := m.admit(ctx, s, ballot, false, func() *oponn.Error { return late }); err != nil {
		return nil, err
	}
	s.root.Send(s.streams, m)
	sub, err := m.wait(ctx)
	if errors.Is(err, late) {
		// The subscriber may come to be all the same, with nobody to watch.
		s.task(func() {
			if <-m.done; m.err == nil {
				m.value.PostUserMessage(&forget{})
			}
		})
	}
	if err != nil {
		return nil, err
	}
	if err := s.seat(ctx, sub, viewer.After); err != nil {
		sub.PostUserMessage(&forget{})
		return nil, err
	}
	return sub, nil
}

// seat brings a subscriber to its ballot's audience.
func (s *System) seat(ctx context.Context, sub *subscriber, after uint64) error {
	m := &watchBallot{sub: sub, reading: reading{after: after}}
	if err := m.admit(ctx, s, sub.ballot, false, errLate); err != nil {
		return err
	}
	s.post(m.admitted, m)
	_, err := m.wait(ctx)
	return err
}

// Now returns the store's clock.
func (s *System) Now(ctx context.Context) (time.Time, error) {
	now, err := s.cfg.Store.Now(ctx)
	if err != nil {
		return time.Time{}, storeError(err)
	}
	return now, nil
}

// Started returns when the system began.
func (s *System) Started() time.Time { return s.started }

// Load is how much an instance carries at a moment.
type Load struct {
	Awake   int // ballots in memory
	Streams int // open streams
}

// Load returns how much this instance carries, for operators and tests.
func (s *System) Load(ctx context.Context) (Load, error) {
	awake, open := &countAwake{reply: make(chan int, 1)}, &countStreams{reply: make(chan int, 1)}
	s.root.Send(s.registry, awake)
	s.root.Send(s.streams, open)
	var load Load
	for range 2 {
		select {
		case load.Awake = <-awake.reply:
		case load.Streams = <-open.reply:
		case <-ctx.Done():
			return Load{}, fmt.Errorf("count actors: %w", ctx.Err())
		}
	}
	return load, nil
}

// Drain ends the system: it refuses what comes from now on, answers what has
// come, ends the streams, waits for the transactions, and stops the actors.
// When the context ends first, it stops at once and returns its error. Store,
// Keys and Bus stay open. Call it once.
func (s *System) Drain(ctx context.Context) error {
	var late error
	await := func(what string, done <-chan struct{}) {
		select {
		case <-done:
		case <-ctx.Done():
			late = fmt.Errorf("drain: %s: %w", what, ctx.Err())
		}
	}
	answered := s.admission.drain()
	ended := make(chan struct{})
	s.root.Send(s.streams, &endAll{reason: oponn.EndDraining, ended: ended})
	await("streams", ended)
	await("requests", answered)
	stopped := make(chan struct{})
	go func() {
		_ = s.root.StopFuture(s.top).Wait()
		s.tasks.Wait()
		close(stopped)
	}()
	await("actors", stopped)
	s.framework.Shutdown()
	s.crew.dismiss()
	return late
}
