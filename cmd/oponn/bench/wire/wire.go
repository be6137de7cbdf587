// Package wire speaks HTTP to a server under test as cheaply as it can, for
// the load tester shares the machine with what it measures.
//
// Over plain HTTP/1.1 a Conn is one kept connection of one goroutine: the
// request is put together in a buffer that is used again, sent with one write,
// and the answer is parsed in place; nothing is allocated per request. Over
// TLS, an ordinary client of net/http is behind the same interface.
package wire

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// Field is one field of a request's head.
type Field struct {
	Name  string
	Value []byte
}

// Request is a request. What it points at may change between two exchanges.
type Request struct {
	Method string
	// Path is path and query, as they are sent.
	Path   string
	Fields []Field
	Body   []byte
}

// Response is an answer. Its slices are valid until the next exchange.
type Response struct {
	Status int
	// RetryAfter is zero when the server didn't say.
	RetryAfter time.Duration
	Body       []byte
	Location   []byte
	// Cookie is name and value of the first Set-Cookie.
	Cookie []byte

	close   bool
	chunked bool
	length  int // -1: not said
}

// Conn exchanges requests for answers, one after the other, and connects when
// it has to. It is not safe for concurrent use.
type Conn interface {
	// Exchange sends a request and reads the answer into the response. An
	// error that Unsent reports true for left nothing at the server.
	Exchange(*Request, *Response) error
	Close()
}

// Dialer makes connections to one server.
type Dialer struct {
	// Target is scheme and host.
	Target *url.URL
	// Patience bounds one exchange; how exactly, is up to Watch.
	Patience time.Duration
	// Watch ends exchanges that last too long. It is needed for plain HTTP.
	Watch *Watchdog
	// Insecure accepts every certificate.
	Insecure bool
}

// New returns a connection that isn't open yet. The context ends all its
// exchanges.
func (d *Dialer) New(ctx context.Context) (Conn, error) {
	switch d.Target.Scheme {
	case "http":
		return newPlain(ctx, d), nil
	case "https":
		return newOrdinary(ctx, d), nil
	default:
		return nil, errors.New("wire: a target is an http or https URL")
	}
}

// unsentError is an error of an exchange that didn't begin.
type unsentError struct{ error }

// Unwrap returns the cause.
func (e unsentError) Unwrap() error { return e.error }

// Unsent says whether an exchange failed before anything of the request was
// sent: the server can't have acted on it.
func Unsent(err error) bool {
	var unsent unsentError
	return errors.As(err, &unsent)
}

// TimedOut says whether an exchange failed because no answer came in time.
func TimedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
