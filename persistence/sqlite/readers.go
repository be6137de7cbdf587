package sqlite

import (
	"context"
	"errors"
	"runtime"

	"github.com/oponn/oponn"
)

// readers is a small pool of connections that read. It opens them when they
// are needed and keeps them.
type readers struct {
	path string
	// slots has one entry per connection that may be in use; nil for one that
	// is not open yet.
	slots chan *connection
}

func newReaders(path string) readers {
	r := readers{path: path, slots: make(chan *connection, max(4, runtime.GOMAXPROCS(0)))}
	for range cap(r.slots) {
		r.slots <- nil
	}
	return r
}

// take waits for a connection.
func (r readers) take(ctx context.Context) (*connection, error) {
	select {
	case c := <-r.slots:
		if c != nil {
			return c, nil
		}
		c, err := connect(r.path, readable)
		if err != nil {
			r.slots <- nil
			return nil, translate(ctx, err)
		}
		return c, nil
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}

// close closes all connections; nobody may use one any more.
func (r readers) close() error {
	var errs []error
	for range cap(r.slots) {
		if c := <-r.slots; c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// read runs f on one snapshot of the database.
func (s *Store) read(ctx context.Context, f func(*connection) error) error {
	done, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers.slots <- c }()
	return c.snapshot(ctx, f)
}

// snapshot runs f in a transaction that reads.
func (c *connection) snapshot(ctx context.Context, f func(*connection) error) (err error) {
	c.SetInterrupt(ctx)
	defer func() {
		// The end of the transaction must not be interrupted.
		c.SetInterrupt(context.Background())
		if again := c.abort(); err == nil && again != nil {
			err = oponn.Internal(again)
		}
	}()
	if err := c.exec(beginReading); err != nil {
		return translate(ctx, err)
	}
	return translate(ctx, f(c))
}
