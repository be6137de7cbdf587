package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// bury deletes a ballot but for its log, and leaves a tombstone.
func (c *connection) bury(ballot oponn.BallotID, at time.Time) error {
	for _, q := range []query{deleteBallot, deleteHead, deleteWriteIns} {
		if err := c.exec(q, ballot[:]); err != nil {
			return err
		}
	}
	if err := c.exec(releaseJoinCode, at.UnixMicro(), ballot[:]); err != nil {
		return err
	}
	return c.exec(insertTombstone, ballot[:], at.UnixMicro())
}

// The sweeper empties the write-ahead log of what has been deleted when that
// could not be done at once, and takes away the logs of deleted ballots.
const (
	sweepChunk = 1000            // rows of a transaction: others want to write too
	sweepAgain = 2 * time.Second // after a fault, or while somebody reads an old snapshot
)

type sweeper struct {
	wake chan struct{} // one slot: there is work
	stop context.CancelFunc
	done sync.WaitGroup
}

func (s *Store) startSweeper() {
	ctx, cancel := context.WithCancel(context.Background())
	s.sweeper.wake, s.sweeper.stop = make(chan struct{}, 1), cancel
	s.wakeSweeper() // for what the last run left
	s.sweeper.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.sweeper.wake:
			}
			for !s.sweep(ctx) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(sweepAgain):
				}
			}
		}
	})
}

func (s *Store) wakeSweeper() {
	select {
	case s.sweeper.wake <- struct{}{}:
	default:
	}
}

func (s *Store) stopSweeper() {
	if s.sweeper.stop != nil {
		s.sweeper.stop()
		s.sweeper.done.Wait()
	}
}

// shred leaves nothing of what was deleted, and lets the sweeper do the rest.
func (s *Store) shred(c *connection) {
	_ = c.emptyLog() // the sweeper tries again
	s.wakeSweeper()
}

// emptyLog copies the write-ahead log into the file, where secure_delete has
// overwritten what was deleted, and truncates it. It doesn't wait for those
// who still read from it: that is an error.
func (c *connection) emptyLog() error {
	if err := c.BusyTimeout(0); err != nil {
		return err
	}
	_, _, err := c.WALCheckpoint("main", truncate)
	return errors.Join(err, c.BusyTimeout(busyTimeout))
}

// sweep takes the logs of deleted ballots away and empties the write-ahead
// log. It says whether all was done.
func (s *Store) sweep(ctx context.Context) (finished bool) {
	for more := true; more; {
		err := s.write(ctx, transaction{do: func(c *connection) (err error) {
			more, err = c.sweepChunk()
			return err
		}})
		if err != nil {
			return false
		}
	}
	done := s.write(ctx, transaction{do: func(*connection) error { return nil }, after: func(c *connection) {
		finished = c.emptyLog() == nil
	}})
	return done == nil && finished
}

// sweepChunk deletes a part of one deleted ballot's log and codes.
func (c *connection) sweepChunk() (more bool, err error) {
	ballots, err := c.ids(selectUnswept)
	if err != nil || len(ballots) == 0 {
		return false, err
	}
	ballot, deleted := ballots[0], 0
	for _, q := range []query{deleteVotes, deleteCodes} {
		err := c.rows(q, func(*sqlite3.Stmt) error {
			deleted++
			return nil
		}, ballot[:], sweepChunk-deleted)
		if err != nil {
			return true, err
		}
	}
	if deleted < sweepChunk {
		err = c.exec(updateSwept, ballot[:])
	}
	return true, err
}
