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

// purgeEvery is how often an instance looks for ballots whose retention has
// ended: that reads all heads. purgeAtOnce is how many it asks for.
const (
	purgeEvery  = time.Hour
	purgeAtOnce = 100
)

// chore is a piece of work of all instances together.
type chore func(context.Context) error

// startChores deletes ballots whose retention has ended and, where several
// instances share a database, looks after deleted ballots' logs: the embedded
// store does that by itself, and has nobody to share chores with. The lock is
// in Redis; without Redis, in Postgres.
func (s *instance) startChores(p parts) {
	meters := newChoreMeters(s.metrics)
	purged := time.Time{}
	purgeInTime := func(ctx context.Context) error {
		if time.Since(purged) < purgeEvery {
			return nil
		}
		purged = time.Now()
		n, err := purge(ctx, p.store)
		meters.purged.Add(n)
		if n > 0 {
			s.log.Info("ballots deleted whose retention has ended", "count", n)
		}
		return err
	}
	work := meters.atWork(purgeInTime)
	if store, ok := p.store.(*postgres.Store); ok {
		var lock oponn.Lock = store.Locks()
		if shared, ok := p.bus.(*bus.Redis); ok {
			lock = shared.Locks(store)
		}
		work = func(ctx context.Context) error {
			return doChores(ctx, lock, store, meters.atWork(store.Sweep), meters.atWork(purgeInTime))
		}
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
			if err := meters.round(ctx, work); err != nil && ctx.Err() == nil && !errors.Is(err, oponn.ErrHeld) {
				s.log.Warn("chores not done", "error", err)
			}
		}
	}()
}

// purge deletes ballots whose retention has ended, one transaction each, and
// says how many. Instances that show one find out by themselves.
func purge(ctx context.Context, store oponn.Store) (purged int, err error) {
	for {
		expired, err := store.Expired(ctx, purgeAtOnce)
		if err != nil {
			return purged, err
		}
		before := purged
		for _, ballot := range expired {
			done := store.Append(ctx, []oponn.Batch{oponn.Purging(ballot)})[0]
			switch code := oponn.CodeOf(done.Err); {
			case code == oponn.CodeGone || code == oponn.CodeNotFound:
			case done.Err != nil:
				return purged, done.Err
			case done.Effect.Tombstone:
				purged++
			}
		}
		if purged == before {
			return purged, nil
		}
	}
}

// doChores does them once, if nobody else is at it.
func doChores(ctx context.Context, lock oponn.Lock, store *postgres.Store, chores ...chore) error {
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
	for _, chore := range chores {
		err = errors.Join(err, store.Fenced(work, choreName, lease.Fence(), chore))
	}
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), choreTTL)
	defer cancel()
	return errors.Join(err, lease.Release(release))
}
