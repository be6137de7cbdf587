package postgres

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn"
)

// NextFence returns a number for the name that is higher than any before, and
// remembers it.
func (s *Store) NextFence(ctx context.Context, name string) (number uint64, err error) {
	err = s.write(ctx, func(ctx context.Context, c *connection) ([]step, error) {
		return nil, c.run(ctx, step{begin, nil, nil},
			step{raiseFence, [][]byte{[]byte(name)}, func(row row) { number = row.unsigned(0) }})
	})
	return number, err
}

// Fenced runs a piece of work unless somebody with a higher fence has come
// for it: then it returns oponn.ErrLost. Work that takes long asks again.
func (s *Store) Fenced(ctx context.Context, name string, fence uint64, work func(context.Context) error) error {
	var newest uint64
	err := s.read(ctx, func(ctx context.Context, c *connection) error {
		return c.run(ctx, step{selectFence, [][]byte{[]byte(name)}, func(row row) { newest = row.unsigned(0) }})
	})
	switch {
	case err != nil:
		return err
	case newest != fence:
		return oponn.ErrLost
	}
	return work(ctx)
}

// Locks are locks for instances that share this database and nothing else:
// advisory locks of a session each, which end with its connection.
type Locks struct{ store *Store }

// Locks returns the locks in this database.
func (s *Store) Locks() *Locks { return &Locks{store: s} }

// Acquire implements oponn.Lock. The ttl says how soon its holder notices that
// the connection is gone.
func (l *Locks) Acquire(ctx context.Context, name string, ttl time.Duration) (oponn.Lease, error) {
	config, err := pgx.ParseConfig(l.store.url)
	if err != nil {
		return nil, unavailable(err)
	}
	configure(config, reading)
	l.store.options.lineage.hold(config, "")
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, translate(ctx, err)
	}
	lease := &lease{conn: conn, lost: make(chan struct{}), ended: make(chan struct{})}
	var held bool
	if err = conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", lockKey(name)).Scan(&held); err == nil && !held {
		err = oponn.ErrHeld
	}
	if err == nil {
		lease.fence, err = l.store.NextFence(ctx, name)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		if errors.Is(err, oponn.ErrHeld) {
			return nil, err
		}
		return nil, translate(ctx, err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	lease.stop = stop
	go lease.watch(life, ttl)
	return lease, nil
}

// lockKey is a name as advisory locks know it, apart from that of migrations.
func lockKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("oponn lock " + name)) // never fails
	return int64(h.Sum64())
}

// lease is an advisory lock and the connection that holds it.
type lease struct {
	conn  *pgx.Conn
	fence uint64
	stop  context.CancelFunc
	once  sync.Once
	lost  chan struct{}
	ended chan struct{}
}

// Fence implements oponn.Lease.
func (l *lease) Fence() uint64 { return l.fence }

// Lost implements oponn.Lease.
func (l *lease) Lost() <-chan struct{} { return l.lost }

// watch looks three times in ttl whether the connection is still there.
func (l *lease) watch(ctx context.Context, ttl time.Duration) {
	defer close(l.ended)
	turn := time.NewTicker(ttl / 3)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
		ping, cancel := context.WithTimeout(ctx, ttl/3)
		err := l.conn.Ping(ping)
		cancel()
		if err != nil && ctx.Err() == nil {
			l.once.Do(func() { close(l.lost) })
			_ = l.conn.Close(ctx)
			return
		}
	}
}

// Release implements oponn.Lease.
func (l *lease) Release(ctx context.Context) error {
	l.stop()
	<-l.ended
	select {
	case <-l.lost:
		return oponn.ErrLost
	default:
	}
	l.once.Do(func() { close(l.lost) })
	return l.conn.Close(ctx)
}
