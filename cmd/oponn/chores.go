package main

import (
	"context"
	"errors"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/persistence/postgres"
)

// Chores are what one of the instances does from time to time, elected by a
// lock. It is theirs for choreTTL at most after they vanish.
const (
	choreName  = "chores"
	choreEvery = time.Minute
	choreTTL   = 30 * time.Second
)

// startChores looks after deleted ballots' logs, where several instances share
// a database. The lock is in Redis; without Redis, in Postgres.
func (s *instance) startChores(p parts) {
	store, ok := p.store.(*postgres.Store)
	if !ok {
		return // the embedded store has nobody to share chores with, and does them itself
	}
	var lock oponn.Lock = store.Locks()
	if shared, ok := p.bus.(*bus.Redis); ok {
		lock = shared.Locks(store)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.closeLater("chores", func() error { stop(); <-done; return nil })
	go func() {
		defer close(done)
		turn := time.NewTicker(choreEvery)
		defer turn.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-turn.C:
			}
			if err := doChores(ctx, lock, store); err != nil && ctx.Err() == nil && !errors.Is(err, oponn.ErrHeld) {
				s.log.Warn("chores not done", "error", err)
			}
		}
	}()
}

// doChores does them once, if nobody else is at it.
func doChores(ctx context.Context, lock oponn.Lock, store *postgres.Store) error {
	lease, err := lock.Acquire(ctx, choreName, choreTTL)
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-lease.Lost():
			stop()
		case <-work.Done():
		}
	}()
	err = store.Fenced(work, choreName, lease.Fence(), store.Sweep)
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), choreTTL)
	defer cancel()
	return errors.Join(err, lease.Release(release))
}
