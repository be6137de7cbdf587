package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// Store is an oponn.Store in a SQLite file. It is safe for concurrent use.
// Several stores, also of several processes, may have the same file open, but
// only one of them writes at a time.
type Store struct {
	path     string
	readOnly bool

	// writing holds the one connection that writes while nobody uses it.
	writing chan *connection
	// commit commits Append's next transaction when it isn't nil: tests put
	// faults here.
	commit  func(*connection) error
	doubt   oponn.Doubt
	meter   oponn.Meter
	meters  *meters
	readers readers
	sweeper sweeper

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

// Option changes how a Store is opened.
type Option func(*Store)

// ReadOnly opens a database that exists, changes nothing, and can run beside a
// server that writes. Create and Append give CodeStoreUnavailable.
func ReadOnly() Option { return func(s *Store) { s.readOnly = true } }

// Open opens the database in the file at path, makes it and its directory when
// they are missing (modes 0600 and 0700), and brings its schema up to date.
func Open(ctx context.Context, path string, options ...Option) (*Store, error) {
	s := &Store{path: path, writing: make(chan *connection, 1)}
	for _, option := range options {
		option(s)
	}
	s.meters = newMeters(s.meter)
	s.readers = newReaders(path)
	if s.readOnly {
		if err := s.checkSchema(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}
	if err := makeFile(path); err != nil {
		return nil, unavailable(fmt.Errorf("make the database %s: %w", path, err))
	}
	if err := migrate(ctx, path); err != nil {
		return nil, unavailable(fmt.Errorf("bring the schema of %s up to date: %w", path, err))
	}
	// The write-ahead log takes its mode from the database, its index doesn't.
	if err := makeFile(path + "-shm"); err != nil {
		return nil, unavailable(fmt.Errorf("make the index of %s: %w", path, err))
	}
	c, err := connect(path, writable)
	if err != nil {
		return nil, translate(ctx, fmt.Errorf("open %s: %w", path, err))
	}
	// What a crash left in the write-ahead log may have been read from there
	// without ever having reached the disk: a checkpoint syncs it.
	if _, _, err := c.WALCheckpoint("main", passive); err != nil {
		return nil, errors.Join(translate(ctx, fmt.Errorf("recover %s: %w", path, err)), c.Close())
	}
	s.writing <- c
	s.startSweeper()
	return s, nil
}

// checkSchema refuses a file whose schema is older than this binary. One from
// the future works: it only expands.
func (s *Store) checkSchema(ctx context.Context) error {
	return s.read(ctx, func(c *connection) error {
		version, err := c.schemaVersion()
		if err == nil && version < newestMigration() {
			err = oponn.Internal(fmt.Errorf("%s has the schema %d, this binary needs %d: start oponn serve once, which brings it up to date", s.path, version, newestMigration()))
		}
		return err
	})
}

// makeFile makes a file before SQLite does, which would let the umask decide
// who may read it.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Now returns the clock of this process in whole microseconds of UTC.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	done, err := s.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer done()
	return now(), nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Close waits for calls under way and closes the file. A second call does
// nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.stopSweeper()
	s.calls.Wait()
	err := s.readers.close()
	if !s.readOnly {
		// The writer goes last: it empties the write-ahead log.
		err = errors.Join(err, (<-s.writing).Close())
	}
	if err != nil {
		return oponn.Internal(fmt.Errorf("close %s: %w", s.path, err))
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
