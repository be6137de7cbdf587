package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oponn/oponn"
)

// Store is an oponn.Store in a Postgres database. It is safe for concurrent
// use. Any number of stores, of any number of processes, may work on one
// database.
type Store struct {
	url     string
	options options

	// writers and readers are apart, so that neither keeps the other waiting.
	writers, readers *pgxpool.Pool
	sweeper          sweeper
	lookout          lookout
	doubt            oponn.Doubt
	contested        oponn.Doubt // whether others move heads too
	clock            clock
	meters           *meters

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

type options struct {
	production, readOnly bool
	writers, readers     int
	commitPatience       time.Duration
	meter                oponn.Meter
	migrating            func()
	lineage              *lineage
	over                 func(net.Conn) net.Conn
}

// Option changes how a Store is opened.
type Option func(*options)

// Production refuses a server with fsync=off: it may forget votes that were
// acknowledged.
func Production() Option { return func(o *options) { o.production = true } }

// ReadOnly opens a database without bringing its schema up to date. Create and
// Append give CodeStoreUnavailable.
func ReadOnly() Option { return func(o *options) { o.readOnly = true } }

// Migrating has a function called when Open finds that the schema has to be
// brought up to date, which may take a while.
func Migrating(begins func()) Option { return func(o *options) { o.migrating = begins } }

// Writers sets how many connections write; 4 by default. Each runs one
// transaction at a time.
func Writers(n int) Option { return func(o *options) { o.writers = n } }

// Readers sets how many connections read; at least 4 by default. Scan opens
// its own.
func Readers(n int) Option { return func(o *options) { o.readers = n } }

// Over has the connections of writers and readers used through what a function
// makes of them.
func Over(conn func(net.Conn) net.Conn) Option { return func(o *options) { o.over = conn } }

// Open opens the database at a URL (postgres://…) or in a connection string of
// libpq, and brings its schema up to date.
func Open(ctx context.Context, url string, with ...Option) (*Store, error) {
	s := &Store{url: url, options: options{writers: 4, readers: max(4, runtime.GOMAXPROCS(0)), commitPatience: commitPatience, lineage: &lineage{}}}
	for _, option := range with {
		option(&s.options)
	}
	s.meters = newMeters(s.options.meter)
	if err := s.startLookout(ctx); err != nil {
		return nil, err
	}
	if err := s.prepareSchema(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.countPools()
	if !s.options.readOnly {
		s.startSweeper()
	}
	return s, nil
}

// prepareSchema brings the schema up to date, or checks that it is.
func (s *Store) prepareSchema(ctx context.Context) error {
	version, err := schemaVersion(ctx, s.url)
	if err != nil || version >= newestMigration() {
		return err // a schema from the future works: it only expands
	}
	if s.options.readOnly {
		return oponn.Internal(fmt.Errorf("the database has the schema %d, this binary needs %d: run oponn migrate", version, newestMigration()))
	}
	if s.options.migrating != nil {
		s.options.migrating()
	}
	_, err = Migrate(ctx, s.url)
	return err
}

// connect makes the pools, and the first connection of each.
func (s *Store) connect(ctx context.Context) (err error) {
	if s.readers, err = newPool(ctx, s.url, reading, s.options.readers, s.options); err != nil {
		return err
	}
	if !s.options.readOnly {
		if s.writers, err = newPool(ctx, s.url, writing, s.options.writers, s.options); err != nil {
			return err
		}
	}
	return nil
}

// Now returns the database's clock.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context, c *connection) error {
		return c.run(ctx, step{selectNow, nil, func(row row) { now = row.instant(0) }})
	})
	return now, err
}

// Close waits for calls under way and closes the connections. A second call
// does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.stopSweeper()
	s.stopLookout()
	s.calls.Wait()
	for _, pool := range []*pgxpool.Pool{s.writers, s.readers} {
		if pool != nil {
			pool.Close()
		}
	}
	return nil
}

// enter admits a call, which must end with done.
func (s *Store) enter(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, unavailable(errors.New("the store is closed"))
	}
	s.calls.Add(1)
	return s.calls.Done, nil
}

// read runs f on a connection that reads, once more when the connection broke:
// what it was given by a server that is gone is nothing.
func (s *Store) read(ctx context.Context, f func(context.Context, *connection) error) error {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := use(ctx, s.readers, func(c *connection) error { return f(ctx, c) })
		if attempt > s.options.readers || !broken(ctx, err) {
			return translate(ctx, err)
		}
	}
}

// use runs f on a connection of a pool.
func use(ctx context.Context, pool *pgxpool.Pool, f func(*connection) error) error {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release() // closes it when it is broken or in a transaction
	return f(&connection{pooled.Conn().PgConn()})
}
