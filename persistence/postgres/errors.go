package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oponn/oponn"
)

// How long to wait before trying again: for others to commit, for a server to
// come back, and for an answer that was lost.
const (
	afterBusy        = 100 * time.Millisecond
	afterUnavailable = 2 * time.Second
	afterUnknown     = 100 * time.Millisecond
)

// The conditions told apart here; see
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeNotSupported      = "0A000" // also by a standby, to begin a transaction that writes
	codeIdleInTransaction = "25P03"
	codeReadOnly          = "25006"
	codeSerialization     = "40001"
	codeDeadlock          = "40P01"
	codeTooManyConnection = "53300"
	codeDivisionByZero    = "22012"
	codeUnique            = "23505"
	codeLockTimeout       = "55P03"
	codeCanceled          = "57014"
)

// unavailable is the error about a database that can't answer: nothing was
// done.
func unavailable(cause error) error {
	return oponn.Retryable(oponn.CodeStoreUnavailable, afterUnavailable, cause, "The database can't answer now. Please try again.")
}

func busy(cause error) error {
	return oponn.Retryable(oponn.CodeBusy, afterBusy, cause, "Too much is going on. Please try again.")
}

func unknown(cause error) error {
	return oponn.Retryable(oponn.CodeOutcomeUnknown, afterUnknown, cause, "It is not known whether this was kept. Please send it again.")
}

// translate gives an error of the database its code; others that carry one
// stay as they are. Whatever isn't an answer of the server is a connection
// that couldn't be made, or broke.
func translate(ctx context.Context, err error) error {
	var own *oponn.Error
	var answer *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case err == nil || errors.As(err, &own):
		return err
	case ctx.Err() != nil:
		return unavailable(fmt.Errorf("%w: %w", ctx.Err(), err))
	case !errors.As(err, &answer):
		return unavailable(err)
	case errors.As(err, &connecting) && answer.Code != codeTooManyConnection:
		return unavailable(err)
	}
	switch answer.Code {
	case codeTooManyConnection, codeLockTimeout, codeCanceled, codeSerialization, codeDeadlock:
		return busy(err)
	case codeReadOnly, codeNotSupported, codeIdleInTransaction:
		return unavailable(err)
	}
	switch answer.Code[:2] {
	// Connections, resources, intervention of an operator, the system, damaged
	// data: the server's troubles, not ours.
	case "08", "53", "57", "58", "XX", "F0":
		return unavailable(err)
	default:
		return oponn.Internal(err)
	}
}

// afterCommitWasSent judges an error of a round trip that ended with COMMIT.
// An ordinary error of the server aborted the transaction. Anything else may
// have come after the commit: also a FATAL or a PANIC, unless it says that it
// ended an idle session.
func afterCommitWasSent(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && (answer.SeverityUnlocalized == "ERROR" || answer.Code == codeIdleInTransaction) {
		return err
	}
	return unknown(err)
}

// broken says whether a connection broke under way that had been good, so that
// another may serve. It must not be asked once COMMIT was sent.
func broken(ctx context.Context, err error) bool {
	var own *oponn.Error
	var answer *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case err == nil || ctx.Err() != nil || errors.As(err, &own) || errors.As(err, &connecting):
		return false
	case errors.As(err, &answer):
		return answer.SeverityUnlocalized == "FATAL"
	default:
		return true
	}
}

// demoted says that the server takes no writes: it may have become a standby.
func demoted(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.Code == codeReadOnly || answer.Code == codeNotSupported)
}

// collided says that a transaction lost against another one, and that trying
// it again is the cure.
func collided(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.Code == codeDeadlock || answer.Code == codeSerialization)
}

// votedBefore says that the log's key refused a vote whose voter has one there
// already.
func votedBefore(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == codeUnique && answer.TableName == "votes"
}

// ofOneBatch says whether an error may be the fault of one of several batches,
// so that each should be tried alone.
func ofOneBatch(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.SeverityUnlocalized != "ERROR" {
		return false
	}
	switch answer.Code {
	case codeReadOnly, codeNotSupported, codeCanceled, codeTooManyConnection:
		return false
	default:
		return true
	}
}

// guessedWrong says that moveHeads did not find what it was told.
func guessedWrong(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == codeDivisionByZero
}
