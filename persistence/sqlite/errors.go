package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// How long to wait before trying again: for another process to commit, for a
// person to make room on the disk, and for an answer that was lost.
const (
	afterBusy        = 100 * time.Millisecond
	afterUnavailable = 2 * time.Second
	afterUnknown     = 100 * time.Millisecond
)

// unavailable is the error about a database that can't answer: nothing was
// done.
func unavailable(cause error) error {
	return oponn.Retryable(oponn.CodeStoreUnavailable, afterUnavailable, cause, "The database can't answer now. Please try again.")
}

// translate gives an error of the database its code; others stay as they are.
// It must not be used for the error of a COMMIT. See
// https://sqlite.org/rescode.html.
func translate(ctx context.Context, err error) error {
	var own *oponn.Error
	var code sqlite3.ErrorCode
	switch {
	case err == nil || errors.As(err, &own) || !errors.As(err, &code):
		return err
	case code == sqlite3.INTERRUPT && ctx.Err() != nil:
		return unavailable(fmt.Errorf("%w: %w", ctx.Err(), err))
	}
	switch code {
	case sqlite3.BUSY, sqlite3.LOCKED:
		if ctx.Err() != nil { // the wait was cut short
			return unavailable(fmt.Errorf("%w: %w", ctx.Err(), err))
		}
		return oponn.Retryable(oponn.CodeBusy, afterBusy, err, "Too much is going on. Please try again.")
	case sqlite3.FULL, sqlite3.IOERR, sqlite3.READONLY, sqlite3.CORRUPT, sqlite3.NOTADB,
		sqlite3.CANTOPEN, sqlite3.PROTOCOL, sqlite3.NOLFS, sqlite3.PERM, sqlite3.INTERRUPT:
		return unavailable(err)
	default:
		return oponn.Internal(err)
	}
}

// translateCommit gives the error of a COMMIT its code. Busy and full mean
// that the commit mark was not written; after anything else it may be on the
// disk, and a crash would find it there.
func translateCommit(err error) error {
	if errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.FULL) {
		return translate(context.Background(), err)
	}
	return oponn.Retryable(oponn.CodeOutcomeUnknown, afterUnknown, err, "It is not known whether this was kept. Please send it again.")
}

// errVotedBefore says that the log's key refused a vote whose voter has one
// there already.
var errVotedBefore = errors.New("a voter has a vote in the log already")

// ofOneBatch says whether an error may be the fault of one of several batches,
// so that each should be tried alone.
func ofOneBatch(err error) bool {
	var code sqlite3.ErrorCode
	return errors.As(err, &code) && code != sqlite3.BUSY && code != sqlite3.INTERRUPT && oponn.CodeOf(err) != oponn.CodeOutcomeUnknown
}
