package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// connection is a connection with all queries prepared. It is not safe for
// concurrent use.
type connection struct{ *pgconn.PgConn }

// step is one query of a round trip.
type step struct {
	query query
	args  [][]byte
	// row is called at each row; nil where there are none.
	row func(row)
}

// binaryFormat says that all parameters or columns are in the binary format.
var binaryFormat = []int16{1}

// prepare prepares all queries in one round trip.
func (c *connection) prepare(ctx context.Context) error {
	pipeline := c.StartPipeline(ctx)
	for q := range numQueries {
		pipeline.SendPrepare(q.name(), queries[q], nil)
	}
	if err := pipeline.Sync(); err != nil {
		return err
	}
	for q := range queries {
		if _, err := pipeline.GetResults(); err != nil {
			return errors.Join(fmt.Errorf("prepare %q: %w", queries[q], err), pipeline.Close())
		}
	}
	return pipeline.Close()
}

// name is the query's name as a prepared statement. That of commit says so,
// for those who read along.
func (q query) name() string { return names[q] }

var names = func() (names [numQueries]string) {
	for q := range names {
		names[q] = "q" + strconv.Itoa(q)
	}
	names[commit] = "commit"
	return names
}()

// run runs queries in one round trip. After the first that fails the server
// runs none of the rest; the error is that one's.
func (c *connection) run(ctx context.Context, steps ...step) error {
	_, err := c.tagged(ctx, steps)
	return err
}

// tagged is run; it returns the command tag of the last query that was
// answered, also with an error.
func (c *connection) tagged(ctx context.Context, steps []step) (last pgconn.CommandTag, err error) {
	pipeline := c.StartPipeline(ctx)
	c.makeRoom(steps)
	for _, step := range steps {
		pipeline.SendQueryPrepared(step.query.name(), step.args, binaryFormat, binaryFormat)
	}
	if err := pipeline.Sync(); err != nil {
		return last, err
	}
	defer func() {
		if again := pipeline.Close(); err == nil {
			err = again
		}
	}()
	for _, step := range steps {
		results, err := pipeline.GetResults()
		if err != nil {
			return last, fmt.Errorf("%s: %w", queries[step.query], err)
		}
		reader, ok := results.(*pgconn.ResultReader)
		if !ok {
			return last, fmt.Errorf("%s: the answer is a %T", queries[step.query], results)
		}
		for reader.NextRow() {
			step.row(reader.Values())
		}
		tag, err := reader.Close()
		if err != nil {
			return last, fmt.Errorf("%s: %w", queries[step.query], err)
		}
		last = tag
	}
	return last, nil
}

// guard returns what keeps the connection's commits from being cancelled.
func (c *connection) guard() *guard {
	g, ok := c.CustomData()[guardKey].(*guard)
	if !ok {
		panic("a connection that writes was not equipped")
	}
	return g
}

// finish runs the last queries of a transaction and commits it. Nothing but
// the answer ends this wait, or the end of patience: then the connection is
// dropped without a word to the server.
func (c *connection) finish(steps []step) error {
	guard := c.guard()
	guard.committing.Store(true)
	drop := time.AfterFunc(guard.patience, func() { _ = c.Conn().Close() })
	tag, err := c.tagged(context.Background(), append(steps, step{commit, nil, nil}))
	drop.Stop()
	switch {
	case tag.String() == "COMMIT":
		err = nil // whatever happened to the connection after that
	case err == nil:
		err = fmt.Errorf("commit was answered with %q", tag)
	default:
		err = afterCommitWasSent(err)
	}
	if !c.IsClosed() {
		guard.committing.Store(false)
	}
	return err
}

// abort ends a transaction that failed. A connection that can't is dropped by
// its pool.
func (c *connection) abort() {
	if c.IsClosed() || c.TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = c.run(ctx, step{rollback, nil, nil})
}
