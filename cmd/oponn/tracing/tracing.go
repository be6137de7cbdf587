// Package tracing keeps traces with OpenTelemetry and sends them by OTLP, as
// the standard environment variables say
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/oponn/oponn"
)

// defaultShare is the share of requests of which a trace is kept when
// OTEL_TRACES_SAMPLER doesn't say: enough of a crowd, and cheap.
const defaultShare = 0.01

// sendTimeout bounds one attempt to send.
const sendTimeout = 5 * time.Second

// Wanted says whether the environment asks for traces: by naming where they go,
// unless it switches them off.
func Wanted() bool {
	return !strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && os.Getenv("OTEL_TRACES_EXPORTER") != "none" &&
		(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "")
}

// Check says in a sentence what of the environment's wishes can't be met.
func Check() error {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch protocol := os.Getenv(name); protocol {
		case "":
			continue
		case "http/protobuf":
			return nil
		default:
			return fmt.Errorf("%s is %q; traces go by http/protobuf alone", name, protocol)
		}
	}
	if exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter != "" && exporter != "otlp" && exporter != "none" {
		return fmt.Errorf("OTEL_TRACES_EXPORTER is %q; otlp and none are known", exporter)
	}
	return nil
}

// Start begins to keep traces of the service in the given version, and returns
// how to end that: it sends what has gathered. A collector that is away costs
// nothing but the traces; the log says so.
func Start(ctx context.Context, version string, log *slog.Logger) (oponn.Tracer, func(context.Context) error, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithTimeout(sendTimeout))
	if err != nil {
		return nil, nil, fmt.Errorf("tracing: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces not sent", "error", err) }))
	tracer, end, err := start(ctx, version, exporter)
	if err != nil {
		return nil, nil, err
	}
	return tracer, end, nil
}

func start(ctx context.Context, version string, exporter sdktrace.SpanExporter) (*Tracer, func(context.Context) error, error) {
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "oponn"), attribute.String("service.version", version)),
		resource.WithFromEnv(), // has the last word
		resource.WithTelemetrySDK())
	if err != nil {
		return nil, nil, fmt.Errorf("tracing: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(defaultShare))))
	}
	provider := sdktrace.NewTracerProvider(options...)
	return &Tracer{tracer: provider.Tracer("github.com/oponn/oponn")}, provider.Shutdown, nil
}
