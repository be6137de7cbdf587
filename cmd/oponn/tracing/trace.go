package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/oponn/oponn"
)

// Tracer is an oponn.Tracer.
type Tracer struct{ tracer trace.Tracer }

// Begin implements oponn.Tracer.
func (t *Tracer) Begin(name, request, parent string) oponn.Trace {
	ctx := context.Background()
	if parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		span.End()
		return nil
	}
	span.SetAttributes(attribute.String("oponn.request", request))
	return &kept{tracer: t.tracer, span: span}
}

// kept is the trace of a request, by the span that its steps belong to.
type kept struct {
	tracer trace.Tracer
	span   trace.Span
}

func (k *kept) within() context.Context {
	return trace.ContextWithSpan(context.Background(), k.span)
}

// Step implements oponn.Trace.
func (k *kept) Step(name string, begin, end time.Time, shared oponn.Trace) {
	options := []trace.SpanStartOption{trace.WithTimestamp(begin)}
	if other, ok := shared.(*kept); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: other.span.SpanContext()}))
	}
	_, span := k.tracer.Start(k.within(), name, options...)
	span.End(trace.WithTimestamp(end))
}

// Share implements oponn.Trace. The step is in the trace of whoever begins it:
// so it is kept when that is, however few are.
func (k *kept) Share(name string, begin time.Time, others []oponn.Trace) oponn.Trace {
	links := make([]trace.Link, 0, len(others))
	for _, other := range others {
		if other, ok := other.(*kept); ok {
			links = append(links, trace.Link{SpanContext: other.span.SpanContext()})
		}
	}
	_, span := k.tracer.Start(k.within(), name, trace.WithTimestamp(begin), trace.WithLinks(links...))
	return &kept{tracer: k.tracer, span: span}
}

// Note implements oponn.Trace.
func (k *kept) Note(name string, value int64) { k.span.SetAttributes(attribute.Int64(name, value)) }

// End implements oponn.Trace.
func (k *kept) End(failed bool) {
	if failed {
		k.span.SetStatus(codes.Error, "")
	}
	k.span.End()
}
