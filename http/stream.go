package http

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
)

// busyPause is how long a viewer stays away, at least, for whom there was no
// room.
const busyPause = 5 * time.Second

// endBusy is an end of our own: there is no room.
const endBusy oponn.EndReason = "busy"

// streamPage streams fragments to htmx, which takes an error status for the
// end of all: it is always answered with 200, and with an event that says what
// is the matter.
func (s *Server) streamPage(c echo.Context) error {
	all := s.pageDialects[s.locale(c.Request())]
	if head(c) {
		return newStreamWriter(c).begin(nil)
	}
	d := all[oponn.Onlooker{}]
	o, err := s.streamClass(c, s.browserOnlooker)
	if err == nil {
		d = all[o]
		err = s.stream(c, d)
	}
	if err == nil || c.Response().Committed {
		return err
	}
	f := newFailure(err)
	s.logFailure(c, f)
	return newStreamWriter(c).begin(d.farewell(reasonOf(f.Code), max(f.retryAfter, time.Second)))
}

// streamAPI streams JSON.
func (s *Server) streamAPI(c echo.Context) error {
	if !head(c) {
		o, err := s.streamClass(c, s.apiOnlooker)
		if err != nil {
			return err
		}
		return s.stream(c, s.apiDialects[o])
	}
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	if _, err := s.ballots.Result(c.Request().Context(), id, 0); err != nil {
		return err
	}
	return newStreamWriter(c).begin(nil)
}

// reasonOf returns why a stream that failed to open ends.
func reasonOf(code oponn.Code) oponn.EndReason {
	switch code {
	case oponn.CodeNotFound, oponn.CodeGone:
		return oponn.EndGone
	case oponn.CodeDraining:
		return oponn.EndDraining
	default:
		return endBusy
	}
}

// stream takes a seat and opens the stream. Where that is possible the viewer's
// actor takes over the connection, and the request is over here; else it lasts
// as long as the stream.
func (s *Server) stream(c echo.Context, d *dialect) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	if s.draining.Load() {
		return errDraining()
	}
	place, ok := s.seats.take(limit.AddressKey(s.client(c.Request())))
	if !ok {
		return oponn.Retryable(oponn.CodeBusy, busyPause, nil, "Too many are watching at this moment. Please try again in a while.")
	}
	if conn := plainConn(c.Request()); conn != nil {
		return s.streamDirectly(c, id, d, conn, place)
	}
	defer place.leave()
	from := newSink()
	stream, err := s.watch(c, id, d, from)
	if err != nil {
		return err
	}
	defer stream.Wake()
	defer from.depart()
	s.pump(c, d, from)
	return nil
}

// watch opens the stream in the runtime.
func (s *Server) watch(c echo.Context, id oponn.BallotID, d *dialect, to oponn.Sink) (oponn.Stream, error) {
	r := c.Request()
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Deadline)
	defer cancel()
	return s.ballots.Watch(ctx, id, oponn.Viewer{Group: &d.Group, Sink: to,
		After: max(seen(c), parseVersion(r.Header.Get("Last-Event-ID")))})
}
