package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oponn/oponn"
)

// retryAfter is what we ask of whoever met a KEK that can't be reached: long
// enough for a failover, short enough to wait for at a page.
const retryAfter = time.Second

// deniedRetryAfter is the same for a KEK that says no: a person has to give the
// right back.
const deniedRetryAfter = 30 * time.Second

// unavailable returns CodeKeysUnavailable.
func unavailable(cause error) error {
	return oponn.Retryable(oponn.CodeKeysUnavailable, retryAfter, cause,
		"This ballot's key can't be reached at the moment. Please try again.")
}

// denied returns CodeKeysUnavailable with oponn.ErrKeyDenied: the KEK answered,
// and said no.
func denied(cause error) error {
	return oponn.Retryable(oponn.CodeKeysUnavailable, deniedRetryAfter, fmt.Errorf("%w: %w", oponn.ErrKeyDenied, cause),
		"This ballot's key is locked at the moment. Please try again later.")
}

// unreached says that a KEK could not be reached, and has refused nothing.
func unreached(err error) bool {
	return oponn.CodeOf(err) == oponn.CodeKeysUnavailable && !errors.Is(err, oponn.ErrKeyDenied)
}

// refused returns CodeInternal: trying again would not help.
func refused(format string, args ...any) error {
	return oponn.Internal(fmt.Errorf("keys: "+format, args...))
}

// classify gives what a KEK said one of the two codes that a Keyring returns.
func classify(err error) error {
	var coded *oponn.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &coded) && (coded.Code == oponn.CodeKeysUnavailable || coded.Code == oponn.CodeInternal):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unavailable(err)
	default:
		return refused("master key: %w", err)
	}
}
