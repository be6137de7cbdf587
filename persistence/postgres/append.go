package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/oponn/oponn"
)

// attempts is how often a transaction is tried that keeps colliding with
// others.
const attempts = 5

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
	} else {
		settle(done, err)
	}
	for i := range done {
		if done[i].Err == nil && done[i].Effect.Tombstone {
			s.wakeSweeper()
		}
	}
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
// the transaction's.
//
// Nearly every voter votes once, and nearly every head is where its sender
// knows it. So it first takes that for granted, see guess. Then it takes all
// voters for new ones and lets the log's unique key say otherwise: that saves a
// probe of the index for each vote. Only when the key objects, or when somebody
// would be refused, who might have voted before, is the log looked into.
func (s *Store) together(ctx context.Context, batches []oponn.Batch, done []oponn.Appended) error {
	look := s.doubt.Looks(batches)
	err := errNoGuess
	if !look {
		err = s.guess(ctx, batches, done)
	}
	if errors.Is(err, errNoGuess) {
		err = s.attempt(ctx, batches, done, look)
	}
	if !look && votedBefore(err) {
		s.doubt.Raise()
		err = s.attempt(ctx, batches, done, true)
	}
	return err
}

// attempt is one attempt of together, which looks for earlier votes or takes
// every voter for a new one until there is doubt.
func (s *Store) attempt(ctx context.Context, batches []oponn.Batch, done []oponn.Appended, look bool) error {
	return s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		grounds, err := c.grounds(ctx, batches, look)
		if err != nil {
			return nil, err
		}
		s.clock.note(grounds[0].read)
		written, sure := decideAll(batches, grounds, done)
		if !look && !sure {
			s.doubt.Raise()
			if err := c.lookAgain(ctx, batches, grounds); err != nil {
				return nil, err
			}
			written, _ = decideAll(batches, grounds, done)
		}
		return written.steps(), nil
	})
}

// decideAll runs the Apply of all batches and fills in done. It is sure when
// earlier votes of the voters could make no difference but to collide.
func decideAll(batches []oponn.Batch, grounds []ground, done []oponn.Appended) (written kept, sure bool) {
	clear(done)
	sure = true
	written.effects = make([]move, 0, len(batches))
	for i, batch := range batches {
		if done[i].Err = grounds[i].err; done[i].Err == nil {
			done[i] = batch.Decide(grounds[i].Ground)
		}
		if done[i].Err == nil {
			written.add(&grounds[i].Ground, &done[i].Effect)
			sure = sure && batch.Takes(done[i].Effect)
		}
	}
	return written, sure
}

// transaction is what a transaction does between its begin and its commit: it
// reads, and returns what shall be written together with the commit.
type transaction func(context.Context, *connection) ([]step, error)

// write runs a transaction that writes. It is tried again when it lost against
// another one, and when its connection broke before COMMIT was sent.
func (s *Store) write(ctx context.Context, do transaction) error {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	if s.options.readOnly {
		return unavailable(errors.New("the database was opened for reading only"))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := use(ctx, s.writers, func(c *connection) error { return c.transact(ctx, do, s.meters) })
		s.meters.attempted(err)
		again := broken(ctx, err) && attempt <= s.options.writers
		if collided(err) && attempt < attempts {
			again = pause(ctx, attempt)
		}
		if !again {
			return translate(ctx, err)
		}
	}
}

// pause waits for a random time before another attempt and says whether the
// context still holds.
func pause(ctx context.Context, attempt int) bool {
	wait := time.NewTimer(time.Duration(rand.Int64N(int64(attempt) * int64(10*time.Millisecond)))) //nolint:gosec // no secret
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// transact runs a transaction. The context can end it before its COMMIT is
// sent, but never the COMMIT itself: whose outcome is reported, whatever it is.
func (c *connection) transact(ctx context.Context, do transaction, m *meters) (err error) {
	defer func() {
		c.abort() // also when a panic or runtime.Goexit passes through here
		if demoted(err) {
			_ = c.Close(context.Background()) // the next one may find the primary
		}
	}()
	begin := time.Now()
	steps, err := do(ctx, c)
	oponn.Traced(ctx, "read and decide", begin)
	if err != nil {
		return err
	}
	m.decided(begin)
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	defer m.committed(time.Now())
	defer oponn.Traced(ctx, "write and commit", time.Now())
	return c.finish(steps)
}
