package main_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// traces is a collector that keeps what it is sent.
type traces struct {
	url string

	mu    sync.Mutex
	spans []*otlp.Span
	raw   bytes.Buffer
}

func collect(t *testing.T) *traces {
	t.Helper()
	c := &traces{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
			http.Error(w, "no traces", http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, of := range sent.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// of returns the spans of a trace by name, and those of requests by route.
func (c *traces) of(trace string) map[string]*otlp.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := make(map[string]*otlp.Span)
	for _, span := range c.spans {
		if hex.EncodeToString(span.TraceId) == trace {
			found[span.Name] = span
		}
	}
	return found
}

// settings ask for all traces, soon.
func (c *traces) settings(more ...string) []string {
	return append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.url, "OTEL_TRACES_SAMPLER=parentbased_always_on", "OTEL_BSP_SCHEDULE_DELAY=50"}, more...)
}

const (
	votesRoute   = "POST /api/v1/ballots/:id/votes"
	sentTrace    = "0af7651916cd43dd8448eb211c80319c"
	sentParent   = "b7ad6b7169203331"
	sentByClient = "00-" + sentTrace + "-" + sentParent + "-01"
)

// castTraced casts a vote whose sender says to which trace it belongs.
func castTraced(t *testing.T, s *server, v *vote) {
	t.Helper()
	var answer struct{ Receipt string }
	header := http.Header{"Authorization": {"Bearer " + v.token}, "Idempotency-Key": {v.id}, "Traceparent": {sentByClient}}
	if status := post(s.url+"/api/v1/ballots/"+v.ballot+"/votes", header, v.body, &answer); status != http.StatusCreated {
		t.Fatalf("a vote got %d", status)
	}
}

// TestTraces_AVoteToTheScreen follows a vote from its request to a screen.
func TestTraces_AVoteToTheScreen(t *testing.T) {
	c := collect(t)
	s := serve(t, t.TempDir(), c.settings("DATABASE_URL="+pgtest.URL(t), "OPONN_TRUSTED_PROXIES=127.0.0.0/8")...)
	ballot := createBallot(t, s, "Secret question?", "yes", "no")
	watcher := startViewer(t, s, ballot)
	watcher.await(t, 1)
	tokens, _ := newTokens(s, 1)
	v := newVote(ballot, tokens[0], "1")
	castTraced(t, s, v)
	watcher.await(t, 2)
	eventually(t, "the trace is sent", func() bool { return c.of(sentTrace)["frame"] != nil })

	spans := c.of(sentTrace)
	request := spans[votesRoute]
	if request == nil || hex.EncodeToString(request.ParentSpanId) != sentParent {
		t.Fatalf("the request's span is %v", request)
	}
	for child, parent := range map[string]*otlp.Span{"mailbox": request, "gather": request, "commit": request, "transaction": request,
		"publish": request, "frame": request, "read and decide": spans["transaction"], "write and commit": spans["transaction"]} {
		span := spans[child]
		if span == nil || parent == nil || !bytes.Equal(span.ParentSpanId, parent.SpanId) {
			t.Errorf("%s is %v", child, span)
		}
	}
	if commit := spans["commit"]; commit != nil && (len(commit.Links) != 1 || !bytes.Equal(commit.Links[0].SpanId, spans["transaction"].SpanId)) {
		t.Errorf("the commit is linked with %v", commit.Links)
	}
	steps := []string{"mailbox", "gather", "commit", "publish", "frame"}
	for i, name := range steps[1:] {
		if before, step := spans[steps[i]], spans[name]; before != nil && step != nil && step.StartTimeUnixNano != before.EndTimeUnixNano {
			t.Errorf("%s begins at %d, %s ended at %d", name, step.StartTimeUnixNano, steps[i], before.EndTimeUnixNano)
		}
	}
	s.stop(t) // sends the rest
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range []string{v.token, v.id, "Secret question", "127.0.0.1"} {
		if strings.Contains(c.raw.String(), secret) {
			t.Errorf("the traces contain %q", secret)
		}
	}
}

// TestTraces_OfABatch has votes share a transaction: it is linked with all of
// them.
func TestTraces_OfABatch(t *testing.T) {
	c := collect(t)
	s := serve(t, t.TempDir(), c.settings()...)
	ballot := createBallot(t, s, "Together?", "yes", "no")
	eventually(t, "votes that share a transaction", func() bool {
		tokens, _ := newTokens(s, 20)
		var voters sync.WaitGroup
		for _, token := range tokens {
			voters.Go(func() { newVote(ballot, token, "1").send(s) })
		}
		voters.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.ContainsFunc(c.spans, func(span *otlp.Span) bool { return span.Name == "transaction" && len(span.Links) > 0 })
	})
}

// TestTraces_OnlyWhereAskedFor sends none by default, and takes nobody's word
// for what is kept but that of a proxy it trusts.
func TestTraces_OnlyWhereAskedFor(t *testing.T) {
	c := collect(t)
	off := serve(t, t.TempDir(), "OTEL_TRACES_SAMPLER=always_on")
	few := serve(t, t.TempDir(), c.settings("OTEL_TRACES_SAMPLER=parentbased_always_off")...)
	for _, s := range []*server{off, few} {
		ballot := createBallot(t, s, "Traced?", "yes", "no")
		tokens, _ := newTokens(s, 1)
		castTraced(t, s, newVote(ballot, tokens[0], "1"))
		s.stop(t)
	}
	if len(c.spans) > 0 {
		t.Errorf("%d spans were sent", len(c.spans))
	}
	code, _, errs := oponn(t, t.TempDir(), c.settings("OTEL_EXPORTER_OTLP_PROTOCOL=grpc"), "serve")
	if code != 2 || !strings.Contains(errs, "OTEL_EXPORTER_OTLP_PROTOCOL") {
		t.Errorf("a protocol that isn't spoken: %d %s", code, errs)
	}
}

// TestTraces_CollectorAway votes while nobody takes the traces.
func TestTraces_CollectorAway(t *testing.T) {
	s := serve(t, t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+reservePort(t), "OTEL_TRACES_SAMPLER=always_on", "OTEL_BSP_SCHEDULE_DELAY=50")
	castVotes(t, s, createBallot(t, s, "Anyone?", "yes", "no"), 5)
	s.stop(t)
	if log := s.stderr.String(); !strings.Contains(log, "traces not sent") {
		t.Errorf("the log says nothing:\n%s", lastLines(log, 5))
	}
}
