package http

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// requestBounds are for the time of a request, in seconds.
var requestBounds = []float64{1e-3, 5e-3, 2.5e-2, 0.1, 0.5, 2.5, 10}

// meters is what a server counts with.
type meters struct {
	routes map[routeKey]*routeMeters
	others *routeMeters // of no route
	errors map[oponn.Code]oponn.Counter
	sent   tally
}

type routeKey struct{ method, path string }

// routeMeters counts the requests of one route.
type routeMeters struct {
	classes [6]oponn.Counter // by the first digit of the status
	took    oponn.Histogram  // nil for streams, whose time is their viewers'
}

// newMeters makes the instruments for the routes.
func newMeters(meter oponn.Meter, routes []*echo.Route) *meters {
	meter = oponn.Metered(meter)
	m := &meters{routes: make(map[routeKey]*routeMeters), errors: make(map[oponn.Code]oponn.Counter)}
	for _, r := range routes {
		if r.Method == http.MethodHead { // counted with GET
			continue
		}
		m.routes[routeKey{r.Method, r.Path}] = newRouteMeters(meter, r.Method, r.Path)
	}
	m.others = newRouteMeters(meter, "other", "none")
	for code := range statuses {
		m.errors[code] = meter.Counter(oponn.Metric{Name: "oponn_http_errors_total",
			Help: "Answers that were an error, by its code.", Labels: oponn.Labels{"code": string(code)}})
	}
	m.sent.make(meter)
	return m
}

func newRouteMeters(meter oponn.Meter, method, path string) *routeMeters {
	r := &routeMeters{}
	for class, name := range map[int]string{2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"} {
		r.classes[class] = meter.Counter(oponn.Metric{Name: "oponn_http_requests_total",
			Help:   "Requests, by the pattern of the route and the class of the status.",
			Labels: oponn.Labels{"method": method, "route": path, "status": name}})
	}
	if path != routePageStream && path != routeAPIStream {
		r.took = meter.Histogram(oponn.Metric{Name: "oponn_http_request_seconds",
			Help:   "Time of a request from its head to the end of its answer; streams are not among them.",
			Labels: oponn.Labels{"method": method, "route": path}}, requestBounds)
	}
	return r
}

// answered counts a request that was answered.
func (m *meters) answered(c echo.Context, status int, took time.Duration) {
	method := c.Request().Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	r := m.routes[routeKey{method, c.Path()}]
	if r == nil {
		r = m.others
	}
	if class := status / 100; class < len(r.classes) && r.classes[class] != nil {
		r.classes[class].Add(1)
	}
	if r.took != nil {
		r.took.Observe(took.Seconds())
	}
}

// failed counts an answer that is an error.
func (m *meters) failed(code oponn.Code) {
	if counter := m.errors[code]; counter != nil {
		counter.Add(1)
	}
}

// tally counts what goes to viewers. A fan-out writes to thousands from several
// processors at once: they have a cell each, more or less, so that none has to
// wait for another's memory.
type tally struct{ cells [16]cell }

// cell has a cache line of its own.
type cell struct {
	frames, bytes, conflated atomic.Uint64
	_                        [40]byte
}

// by returns the cell for a descriptor, or any number.
func (s *tally) by(n int32) *cell { return &s.cells[uint32(n)/32%uint32(len(s.cells))] }

func (s *tally) make(meter oponn.Meter) {
	sum := func(of func(*cell) *atomic.Uint64) func() float64 {
		return func() float64 {
			total := uint64(0)
			for i := range s.cells {
				total += of(&s.cells[i]).Load()
			}
			return float64(total)
		}
	}
	meter.Total(oponn.Metric{Name: "oponn_stream_frames_sent_total", Help: "Frames that were begun to be sent, one for each viewer."},
		sum(func(c *cell) *atomic.Uint64 { return &c.frames }))
	meter.Total(oponn.Metric{Name: "oponn_stream_sent_bytes_total", Help: "Bytes of streams that the system has taken to send."},
		sum(func(c *cell) *atomic.Uint64 { return &c.bytes }))
	meter.Total(oponn.Metric{Name: "oponn_stream_frames_conflated_total", Labels: oponn.Labels{"at": "socket"},
		Help: "Frames that a newer one replaced before a viewer was sent them."},
		sum(func(c *cell) *atomic.Uint64 { return &c.conflated }))
}
