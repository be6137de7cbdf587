package oponn

import "context"

// requestKey is the key under which a context knows its request.
type requestKey struct{}

// requestContext is a context with the id of its request.
type requestContext struct {
	context.Context
	id string
}

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// WithRequestID returns a context that knows by what id the log finds the
// request it belongs to. An id is no secret.
func WithRequestID(ctx context.Context, id string) context.Context {
	return &requestContext{ctx, id}
}

// RequestID returns the id of the request that a context belongs to; empty for
// none.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(requestKey{}).(*requestContext); ok {
		return c.id
	}
	return ""
}
