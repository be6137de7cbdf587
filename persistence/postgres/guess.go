package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// errNoGuess says that nothing was done, because batches can't be decided
// before their heads are held, or were decided on heads that had moved.
var errNoGuess = errors.New("nothing was guessed right")

// guess applies batches in one round trip and fills in done. It decides first,
// on the heads that the batches' senders know and on the clock as it must be by
// now, and then sends the whole transaction, which aborts if the heads are not
// those or the clock says something else. That works out for votes on ballots
// that no other instance takes votes for, and saves them a round trip, a lock of
// each head and the waits for both.
func (s *Store) guess(ctx context.Context, batches []oponn.Batch, done []oponn.Appended) error {
	now, ok := s.clock.guess()
	if !ok || slices.ContainsFunc(batches, func(b oponn.Batch) bool { return !guessable(b) }) || s.contested.Looks(nil) {
		return errNoGuess
	}
	grounds := make([]ground, len(batches))
	for i, batch := range batches {
		grounds[i].Ground = oponn.Ground{Head: batch.Head, Now: now}
	}
	noneEarlier(batches, grounds)
	written, sure := decideAll(batches, grounds, done)
	if !sure || !written.onlyVotes(len(batches)) {
		return errNoGuess
	}
	var read time.Time
	steps := append([]step{{begin, nil, nil}, {moveHeads, written.guessed(), func(row row) { read = row.instant(0) }}}, written.rows()...)
	err := s.write(ctx, func(context.Context, *connection) ([]step, error) { return steps, nil })
	switch {
	case err == nil:
		s.clock.note(read)
	case guessedWrong(err):
		s.contested.Raise()
		s.clock.forget()
		err = errNoGuess
	}
	return err
}

// guessable says whether a batch may be decided before its head is held.
func guessable(b oponn.Batch) bool {
	return len(b.Votes) > 0 && b.Head.Version > 0 && b.Head.WriteIns <= b.WriteIns && !b.Codes
}

// onlyVotes says whether each of so many batches got votes in on an open
// ballot, and nothing else was done.
func (k *kept) onlyVotes(batches int) bool {
	return len(k.effects) == batches && k.edited == 0 && len(k.closed) == 0 &&
		!slices.ContainsFunc(k.effects, func(m move) bool { return len(m.Logged) == 0 || m.State.Status != oponn.Open })
}

const (
	// honest is how far the clock may be from the time that votes are given.
	honest = time.Second
	// recent is how long the server's clock is known after it was read.
	recent = 5 * time.Second
)

// guessed returns the parameters of moveHeads, in the order of ballots, which
// is that of locks.
func (k *kept) guessed() [][]byte {
	slices.SortFunc(k.effects, func(a, b move) int { return a.Head.Ballot.Compare(b.Head.Ballot) })
	n := len(k.effects)
	positions, writeIns, until := newArray(oidBigint, n, 8), newArray(oidInt, n, 4), newArray(oidTimestamptz, n, 8)
	for _, effect := range k.effects {
		positions.bigint(signed(effect.Head.Position) - int64(len(effect.Logged)))
		writeIns.integer(effect.Head.WriteIns - len(effect.Added))
		last := effect.at.Add(honest)
		if due := effect.State.Due(); !due.IsZero() && due.Before(last) {
			last = due
		}
		until.instant(last)
	}
	return append(k.heads(), positions.done(), writeIns.done(), until.done())
}

// clock tells about the server's clock without asking it. It is safe for
// concurrent use.
type clock struct {
	mu   sync.Mutex
	read time.Time // what it said
	at   time.Time // when that was known here
}

// guess returns a time that has come by the server's clock, if it was read
// lately. It doesn't go back until the clock is forgotten.
func (c *clock) guess() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(), !c.read.IsZero() && time.Since(c.at) < recent
}

// now takes our clock for one that may be a thousandth too fast.
func (c *clock) now() time.Time {
	passed := time.Since(c.at)
	return c.read.Add(passed - passed/1000)
}

// note takes what the server's clock said.
func (c *clock) note(read time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.IsZero() || read.After(c.now()) {
		c.read, c.at = read, time.Now()
	}
}

// forget lets the next word count, whatever it says: the server's clock may
// have been set back.
func (c *clock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = time.Time{}
}
