package oponn

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an error for machines. The values are the public codes of
// the JSON API; each stands for one HTTP status, given by the http package.
type Code string

// The codes. Retryable ones carry a time to wait in Error.RetryAfter.
const (
	CodeMalformed        Code = "malformed"         // the request can't be read at all
	CodeVoterRequired    Code = "voter_required"    // no voter's cookie or token
	CodeOwnerRequired    Code = "owner_required"    // not the owner's key
	CodeResultsHidden    Code = "results_hidden"    // the owner doesn't show the result to who asks, or not yet
	CodeCodeRefused      Code = "code_refused"      // a code that is wrong, or was used
	CodeCrossSite        Code = "cross_site"        // a write sent from another site's page
	CodeNotFound         Code = "not_found"         // no such ballot, receipt or page
	CodeGone             Code = "gone"              // the ballot was deleted
	CodeAlreadyVoted     Code = "already_voted"     // this voter has voted with another vote id
	CodeVoteIDReused     Code = "vote_id_reused"    // the same vote id with another choice
	CodeNotOpen          Code = "not_open"          // the ballot opens later
	CodeClosed           Code = "closed"            // the ballot is closed
	CodeTooLarge         Code = "too_large"         // the body is over its limit
	CodeUnsupported      Code = "unsupported"       // the body's media type is not served
	CodeInvalid          Code = "invalid"           // fields are wrong: Error.Fields says which
	CodeRateLimited      Code = "rate_limited"      // too many requests from here
	CodeBusy             Code = "busy"              // over capacity: nothing was tried
	CodeStoreUnavailable Code = "store_unavailable" // the database can't answer: nothing was done
	CodeKeysUnavailable  Code = "keys_unavailable"  // the key management service can't answer, or says no: see ErrKeyDenied
	CodeOutcomeUnknown   Code = "outcome_unknown"   // it may or may not have happened: ask again with the same vote id
	CodeDraining         Code = "draining"          // this instance is going down
	CodeInternal         Code = "internal"          // a fault of ours
)

// Error is the one kind of error that crosses package borders: a code for
// machines, a sentence for people, and what caused it for the log. Errors are
// values: don't change one that you were given.
type Error struct {
	Code Code
	// Message is a sentence that a voter understands; never a cause.
	Message string
	// Fields says what is wrong where, with CodeInvalid.
	Fields []FieldError
	// RetryAfter is how long to wait before trying again; zero when trying
	// again would not help.
	RetryAfter time.Duration
	// Cause is for the log alone; it may be nil.
	Cause error
}

// FieldError says what is wrong with one field of what somebody sent.
type FieldError struct {
	// Field is the name of SURFACE: question, options, options[3], closes_at …
	Field string `json:"field"`
	// Code is stable and short: required, too_long, too_few, duplicate …
	Code string `json:"code"`
	// Message is a sentence for people.
	Message string `json:"message"`
}

// Error returns code, message and cause, for a log.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf returns an error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns a CodeInvalid error about fields, at least one.
func Invalid(fields ...FieldError) *Error {
	return &Error{Code: CodeInvalid, Message: fields[0].Message, Fields: fields}
}

// Retryable returns an error that is worth trying again after the given time.
func Retryable(code Code, after time.Duration, cause error, message string) *Error {
	return &Error{Code: code, Message: message, RetryAfter: after, Cause: cause}
}

// Internal returns a CodeInternal error about a fault of ours.
func Internal(cause error) *Error {
	return &Error{Code: CodeInternal, Message: "Something went wrong on our side.", Cause: cause}
}

// ErrKeyDenied is in the chain of a CodeKeysUnavailable error when the key
// management service did answer, and said no: access denied, key disabled or
// gone. Who asked may come back later, as with one that can't be reached; but
// a key that was opened before must not be used any longer, and asking again
// at once is in vain until somebody gives the right back.
var ErrKeyDenied = errors.New("the key management service refuses the key")

// CodeOf returns the code of err: the empty code for nil, CodeInternal for an
// error that carries none.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
