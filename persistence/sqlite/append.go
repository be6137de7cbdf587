package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/oponn/oponn"
)

// Append applies batches in one transaction. When it fails for a reason that
// may lie in one of them, each is tried in a transaction of its own.
func (s *Store) Append(ctx context.Context, batches []oponn.Batch) []oponn.Appended {
	done := make([]oponn.Appended, len(batches))
	if len(batches) == 0 {
		return done
	}
	err := s.together(ctx, batches, done)
	if len(batches) > 1 && ofOneBatch(err) {
		for i := range batches {
			settle(done[i:i+1], s.together(ctx, batches[i:i+1], done[i:i+1]))
		}
		return done
	}
	settle(done, err)
	return done
}

// settle gives those batches that have no error of their own the error of
// their transaction.
func settle(done []oponn.Appended, err error) {
	if err == nil {
		return
	}
	for i := range done {
		if done[i].Err == nil {
			done[i] = oponn.Appended{Err: err}
		}
	}
}

// together applies batches in one transaction and fills in done. Its error is
// the transaction's. It takes every voter for a new one, unless there is reason
// for doubt; when the log objects, it begins again.
func (s *Store) together(ctx context.Context, batches []oponn.Batch, done []oponn.Appended) error {
	look := s.doubt.Looks(batches)
	err := s.attempt(ctx, batches, done, look)
	if !look && errors.Is(err, errVotedBefore) {
		s.doubt.Raise()
		err = s.attempt(ctx, batches, done, true)
	}
	return err
}

// attempt is one attempt of together.
func (s *Store) attempt(ctx context.Context, batches []oponn.Batch, done []oponn.Appended, look bool) error {
	clear(done)
	deleted := false
	return s.write(ctx, transaction{do: func(c *connection) error {
		for i, batch := range batches {
			var err error
			if done[i], err = c.apply(batch, look); err != nil {
				return err
			}
			deleted = deleted || done[i].Err == nil && done[i].Effect.Tombstone
		}
		return nil
	}, commit: s.commit, after: func(c *connection) {
		if deleted {
			s.shred(c)
		}
	}})
}

// transaction is what the only writer does at a time.
type transaction struct {
	do func(*connection) error
	// commit commits what was done; nil for the ordinary way.
	commit func(*connection) error
	// after, when it isn't nil, follows a commit, before others may write.
	after func(*connection)
}

// write runs a transaction that writes.
func (s *Store) write(ctx context.Context, t transaction) error {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	if s.readOnly {
		return unavailable(errors.New("the database was opened for reading only"))
	}
	select {
	case c := <-s.writing:
		defer func() { s.writing <- c }()
		err := c.transact(ctx, t, s.meters)
		s.meters.attempted(err)
		if err == nil && t.after != nil {
			t.after(c)
		}
		return err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// transact runs a transaction between BEGIN IMMEDIATE and COMMIT. The context can end the
// wait for another process, and the transaction before its COMMIT, but never
// the COMMIT itself: whose outcome is reported, whatever it is.
func (c *connection) transact(ctx context.Context, t transaction, m *meters) (err error) {
	defer func() {
		// Also when a panic or runtime.Goexit passes through here.
		if again := c.abort(); err == nil && again != nil {
			err = oponn.Internal(again)
		}
	}()
	begin := time.Now()
	c.SetInterrupt(ctx)
	err = c.exec(beginWriting)
	c.SetInterrupt(context.Background())
	if err != nil {
		return translate(ctx, err)
	}
	if err := t.do(c); err != nil {
		return translate(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	m.decided(begin)
	defer m.committed(time.Now())
	commit := t.commit
	if commit == nil {
		commit = (*connection).commit
	}
	if err := commit(c); err != nil {
		return translateCommit(err)
	}
	return nil
}

// apply runs one batch in the transaction. What is wrong with the batch comes
// with the answer; the error is the database's.
func (c *connection) apply(batch oponn.Batch, look bool) (oponn.Appended, error) {
	ground, err := c.ground(batch)
	if err == nil && look {
		err = c.look(batch, &ground)
	}
	var own *oponn.Error
	if errors.As(err, &own) {
		return oponn.Appended{Err: err}, nil
	}
	if err != nil {
		return oponn.Appended{}, err
	}
	done := batch.Decide(ground)
	if !look && done.Err == nil && !batch.Takes(done.Effect) {
		if err := c.look(batch, &ground); err != nil {
			return oponn.Appended{}, err
		}
		done = batch.Decide(ground)
	}
	if done.Err != nil {
		return oponn.Appended{Err: done.Err}, nil //nolint:nilerr // what is wrong with the batch is its answer, not the database's error
	}
	return done, c.keep(ground, done.Effect)
}

// ground reads what a batch needs, but for what its voters did before. The transaction holds the only right to
// write, so that nothing read here can change before it commits.
func (c *connection) ground(batch oponn.Batch) (oponn.Ground, error) {
	head, moved, err := c.head(batch.Ballot)
	if err != nil {
		return oponn.Ground{}, err
	}
	ground := oponn.Ground{Head: head, Now: now(), Earlier: make([][]oponn.LoggedVote, len(batch.Votes))}
	if ground.Now.Before(moved) {
		ground.Now = moved // the machine's clock was set back
	}
	if head.WriteIns > batch.WriteIns {
		ground.WriteIns, err = c.writeIns(batch.Ballot, batch.WriteIns)
	}
	return ground, err
}

// look adds what the voters of a batch have in the log, and their codes.
func (c *connection) look(batch oponn.Batch, ground *oponn.Ground) (err error) {
	for i, vote := range batch.Votes {
		if ground.Earlier[i], err = c.votes(batch.Ballot, vote.Tag); err != nil {
			return err
		}
	}
	if batch.Codes {
		ground.Codes, err = c.areCodes(batch)
	}
	return err
}

// keep writes an effect.
func (c *connection) keep(ground oponn.Ground, effect oponn.Effect) error {
	ballot := ground.Head.Ballot
	if effect.Tombstone {
		return c.bury(ballot, ground.Now)
	}
	if effect.Head.Version == ground.Head.Version {
		return nil // nothing changed
	}
	if effect.State.Status == oponn.Closed {
		if err := c.exec(releaseJoinCode, ground.Now.UnixMicro(), ballot[:]); err != nil {
			return err
		}
	}
	for _, vote := range effect.Logged {
		if err := c.insertVote(ballot, vote); err != nil {
			return err
		}
	}
	for _, w := range effect.Added {
		if err := c.exec(insertWriteIn, ballot[:], w.Number, string(w.ID), w.Sealed); err != nil {
			return err
		}
	}
	if effect.Definition != nil {
		if err := c.exec(updateDefinition, effect.Definition, ballot[:]); err != nil {
			return err
		}
	}
	return c.updateHead(effect.Head, ground.Now)
}
