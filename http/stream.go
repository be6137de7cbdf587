package http

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// busyPause is how long a viewer stays away, at least, for whom there was no
// room.
const busyPause = 5 * time.Second

// endBusy is an end of our own: there is no room.
const endBusy oponn.EndReason = "busy"

// streamPage streams fragments to htmx, which takes an error status for the
// end of all: it is always answered with 200, and with an event that says what
// is the matter. A page may ask for the status alone.
func (s *Server) streamPage(c echo.Context) error {
	if head(c) {
		return newStreamWriter(c).begin(nil)
	}
	l := s.locale(c.Request())
	d := s.statusDialects[l]
	var err error
	if c.QueryParam("only") != "status" {
		var o oponn.Onlooker
		o, err = s.streamClass(c, s.browserOnlooker)
		d = s.pageDialects[l][o]
	}
	if err == nil {
		err = s.stream(c, d)
	}
	if err == nil || c.Response().Committed {
		return err
	}
	f := newFailure(err)
	s.meters.failed(f.Code)
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
	address := s.addressKey(c.Request())
	if err := spend(c.Request().Context(), s.budgets.streams, address, 1, "Too many streams were opened from your network. Please wait a little."); err != nil {
		return err
	}
	place, ok := s.seats.take(address)
	if !ok {
		return oponn.Retryable(oponn.CodeBusy, busyPause, nil, "Too many are watching at this moment. Please try again in a while.")
	}
	if conn := plainConn(c.Request()); conn != nil {
		return s.streamDirectly(c, id, d, conn, place)
	}
	defer place.leave()
	from := newSink(&s.meters.sent)
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
	ctx, cancel := context.WithTimeout(known(r.Context(), c), s.cfg.Deadline)
	defer cancel()
	after, err := s.resume(ctx, id, d, max(seen(c), parseVersion(r.Header.Get("Last-Event-ID"))))
	if err != nil {
		return nil, err
	}
	return s.ballots.Watch(ctx, id, oponn.Viewer{Group: &d.Group, Sink: to, After: after,
		Stays: c.QueryParam("until") == "gone", Uncounted: c.QueryParam("as") == asProjector})
}

// resume returns after which version a stream goes on: none for those who may
// not see the counts. Whether anything came after a version would tell them
// how many have voted.
func (s *Server) resume(ctx context.Context, id oponn.BallotID, d *dialect, after uint64) (uint64, error) {
	if after == 0 || d.silent {
		return 0, nil
	}
	snapshot, err := s.ballots.Result(ctx, id, 0)
	if err != nil || !snapshot.ShowsCounts(d.onlooker) {
		return 0, err
	}
	return after, nil
}
