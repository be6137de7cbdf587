package http_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/ops"
)

// metered starts the service with a server that counts.
func metered(t *testing.T) (w *world, reads func(name string, labels ...string) float64) {
	t.Helper()
	metrics := ops.NewMetrics()
	return start(t, tuning{http: func(c *oponnhttp.Config) { c.Meter = metrics }}),
		func(name string, labels ...string) float64 { return metrics.Read(name).Value(name, labels...) }
}

func TestMeters_Requests(t *testing.T) {
	w, reads := metered(t)
	b := w.ballot(teaOrCoffee())
	w.get("/ballots/"+b.ID).want(t, http.StatusOK)
	w.do(request{method: http.MethodHead, path: "/ballots/" + b.ID}).want(t, http.StatusOK)
	w.get("/ballots/nothing").want(t, http.StatusNotFound)
	w.get("/nothing").want(t, http.StatusNotFound)
	w.listen(apiLive(b)).await("tally")
	for _, tt := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{2, "oponn_http_requests_total", []string{"method", "GET", "route", "/ballots/:id", "status", "2xx"}},
		{1, "oponn_http_requests_total", []string{"method", "GET", "route", "/ballots/:id", "status", "4xx"}},
		{3, "oponn_http_request_seconds", []string{"method", "GET", "route", "/ballots/:id"}},
		{1, "oponn_http_requests_total", []string{"method", "POST", "route", "/api/v1/ballots"}},
		{1, "oponn_http_requests_total", []string{"method", "other", "route", "none", "status", "4xx"}},
		{0, "oponn_http_request_seconds", []string{"route", "/api/v1/ballots/:id/live"}},
		{2, "oponn_http_errors_total", []string{"code", "not_found"}},
		{0, "oponn_http_errors_total", []string{"code", "internal"}},
	} {
		if got := reads(tt.name, tt.labels...); got != tt.want {
			t.Errorf("%s %v reads %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
}

// What a viewer is sent is counted on both ways there.
func TestMeters_Streams(t *testing.T) {
	for name, address := range map[string]func(*world) string{
		"OwnSocket": func(w *world) string { return w.url },
		"NetHTTP": func(w *world) string {
			front := httptest.NewServer(w.server)
			t.Cleanup(front.Close)
			return front.URL
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, reads := metered(t)
			b := w.ballot(teaOrCoffee())
			frame := func(version uint64) *oponn.Frame { return &oponn.Frame{Version: version, Bytes: []byte("data: x\n\n")} }
			w.handmade = true
			w.faults.set(func(f *faults) {
				f.runtime = func(v oponn.Viewer) oponn.Stream {
					h := &hand{sink: v.Sink, done: make(chan struct{})}
					h.do(func(s oponn.Sink) { // before anything can be written
						s.Offer(frame(1))
						s.Offer(frame(2))
						s.End(oponn.EndGone)
					})
					return h
				}
			})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address(w)+apiLive(b), nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if _, err := io.ReadAll(response.Body); err != nil {
				t.Fatal(err)
			}
			sent, replaced := reads("oponn_stream_frames_sent_total"), reads("oponn_stream_frames_conflated_total", "at", "socket")
			if bytes := reads("oponn_stream_sent_bytes_total"); sent != 1 || replaced != 1 || bytes < 9 {
				t.Errorf("%v frames sent of %v bytes, %v conflated", sent, bytes, replaced)
			}
		})
	}
}
