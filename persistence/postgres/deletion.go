package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// The sweeper takes away the logs of deleted ballots. The lock on a tombstone
// says whose log is being taken away: instances never wait for each other
// here. What was deleted stays in the files, unreadable for anyone without its
// key, until vacuum comes by, and in backups for as long as they are kept.
const (
	sweepChunk = 1000            // rows of a transaction
	sweepAgain = 2 * time.Second // after a fault
)

type sweeper struct {
	wake chan struct{} // one slot: there is work
	stop context.CancelFunc
	done sync.WaitGroup
}

func (s *Store) startSweeper() {
	ctx, cancel := context.WithCancel(context.Background())
	s.sweeper.wake, s.sweeper.stop = make(chan struct{}, 1), cancel
	s.wakeSweeper() // for what an instance left that is gone
	s.sweeper.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.sweeper.wake:
			}
			for s.Sweep(ctx) != nil {
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

// Sweep takes away the logs of deleted ballots, in chunks, but for those that
// another instance is at. The store does it by itself when it is opened and
// after a deletion; what an instance left when it was stopped, the next one to
// start finds.
func (s *Store) Sweep(ctx context.Context) error {
	more := false
	err := s.read(ctx, func(ctx context.Context, c *connection) error {
		return c.run(ctx, step{selectUnswept, nil, func(row) { more = true }})
	})
	if err != nil {
		return err
	}
	for more {
		err := s.write(ctx, func(ctx context.Context, c *connection) (steps []step, err error) {
			steps, more, err = c.sweepChunk(ctx)
			return steps, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepChunk deletes a part of one deleted ballot's log and codes.
func (c *connection) sweepChunk(ctx context.Context) (steps []step, more bool, err error) {
	var ballot oponn.BallotID
	err = c.run(ctx, step{begin, nil, nil}, step{lockUnswept, nil, func(row row) { ballot, more = row.ballot(), true }})
	if err != nil || !more {
		return nil, false, err
	}
	left := int64(sweepChunk)
	for _, q := range []query{deleteVotes, deleteCodes} {
		deleted, err := c.tagged(ctx, []step{{q, [][]byte{uuid(ballot), bigint(left)}, nil}})
		if err != nil {
			return nil, false, err
		}
		left -= deleted.RowsAffected()
	}
	if left > 0 {
		steps = []step{{updateSwept, [][]byte{uuid(ballot)}, nil}}
	}
	return steps, true, nil
}
