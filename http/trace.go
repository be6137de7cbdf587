package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// beginTrace begins the trace of a request, if one is kept of it: in the
// request's context everybody finds it. Streams have none, for they last. A
// proxy that is trusted may have begun the trace; whoever else could would
// choose for us what is kept.
func (s *Server) beginTrace(c echo.Context, request string) oponn.Trace {
	pattern := route(c)
	if s.cfg.Tracer == nil || pattern == routePageStream || pattern == routeAPIStream {
		return nil
	}
	r := c.Request()
	parent := ""
	if s.byProxy(r) {
		parent = r.Header.Get("Traceparent")
	}
	trace := s.cfg.Tracer.Begin(method(c)+" "+pattern, request, parent)
	if trace != nil {
		c.SetRequest(r.WithContext(oponn.WithTrace(r.Context(), trace)))
	}
	return trace
}

func endTrace(trace oponn.Trace, status int) {
	if trace != nil {
		trace.Note("http.response.status_code", int64(status))
		trace.End(status >= http.StatusInternalServerError)
	}
}
