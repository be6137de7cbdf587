package oponn

import (
	"context"
	"time"
)

// Tracer begins traces. It is safe for concurrent use.
type Tracer interface {
	// Begin begins the trace of a request, named by its method and route, with
	// the id by which the log knows it. The parent is the header traceparent
	// (W3C Trace Context) of somebody whose word is taken, or empty. It returns
	// nil for a request of which none is kept, which is nearly every one.
	Begin(name, request, parent string) Trace
}

// Trace tells where the time of one request went: its span has steps. It is
// safe for concurrent use, also after its end: a vote is answered before it
// is on a screen. What it keeps is bounded.
type Trace interface {
	// Step adds a step that has ended, linked with the work that it shared with
	// other requests when that isn't nil.
	Step(name string, begin, end time.Time, shared Trace)
	// Share begins a step that is shared with other requests, such as the
	// transaction of a batch, links it with theirs, and returns it. It has steps
	// of its own, and its own end.
	Share(name string, begin time.Time, others []Trace) Trace
	// Note adds a number, under a name of OpenTelemetry's conventions where
	// there is one.
	Note(name string, value int64)
	// End ends the span; failed says that it was in vain.
	End(failed bool)
}

type traceKey struct{}

// WithTrace returns a context for work that belongs to a trace.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf returns the trace that the work of a context belongs to; nil for
// none.
func TraceOf(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}

// Traced adds a step that ends now to the trace of a context, if it has one.
func Traced(ctx context.Context, name string, begin time.Time) {
	if t := TraceOf(ctx); t != nil {
		t.Step(name, begin, time.Now(), nil)
	}
}
