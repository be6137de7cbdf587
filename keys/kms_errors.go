package keys

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/sony/gobreaker/v2"
)

// verdict says what an answer of KMS means.
type verdict int

const (
	fine        verdict = iota
	untold              // the caller left before KMS could answer
	unreachable         // no answer, not now, or a fault of theirs: it may go away
	forbidden           // we may not, or the key can't be used: no call like this one works
	rejected            // the value at hand is wrong; KMS and key are well
)

// leftError is a call whose caller did not wait for the answer.
type leftError struct{ error }

func (e *leftError) Unwrap() error { return e.error }

// judge reads an error of the SDK or of the breaker. What KMS refuses without
// our knowing the reason is forbidden: fail closed.
func judge(err error) verdict {
	var left *leftError
	switch {
	case err == nil:
		return fine
	case errors.As(err, &left), errors.Is(err, context.Canceled):
		return untold
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return unreachable // no connection, deadline, no credentials, an answer that can't be read
	}
	switch api.ErrorCode() {
	case "InvalidCiphertextException", "IncorrectKeyException", "ValidationException":
		return rejected
	case "KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException":
		return unreachable
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled || api.ErrorFault() == smithy.FaultServer {
		return unreachable
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		if status := answer.HTTPStatusCode(); status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
			return unreachable
		}
	}
	return forbidden
}

// coded gives an error of KMS the code that a KEK's caller expects. Only its
// words are kept where the error carries the answer, which may hold a DEK.
func coded(op operation, about string, v verdict, err error) error {
	if err == nil {
		return nil
	}
	var unread *smithy.DeserializationError
	if errors.As(err, &unread) {
		err = errors.New(unread.Error())
	}
	switch v {
	case untold, unreachable:
		return unavailable(&kmsError{op, about, err})
	case forbidden:
		return denied(&kmsError{op, about, err})
	default:
		return refused("%w", &kmsError{op, about, err})
	}
}

// kmsError says which call went wrong.
type kmsError struct {
	op    operation
	about string
	cause error
}

func (e *kmsError) Error() string {
	return "KMS " + string(e.op) + " for " + e.about + ": " + e.cause.Error()
}

func (e *kmsError) Unwrap() error { return e.cause }

// reason is the short name of an error, for grouping log lines.
func reason(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return "breaker"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "network"
	}
}

// answered tells whether KMS said no with the given code.
func answered(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
