package http

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
)

const (
	// writePatience is how long one write to a viewer may take.
	writePatience = 10 * time.Second
	// busyPause is how long a viewer stays away, at least, for whom there was
	// no room.
	busyPause = 5 * time.Second
)

// endBusy is an end of our own: there is no room.
const endBusy oponn.EndReason = "busy"

// streamPage streams fragments to htmx, which takes an error status for the
// end of all: it is always answered with 200, and with an event that says what
// is the matter.
func (s *Server) streamPage(c echo.Context) error {
	d := pageDialect(locale(c.Request()))
	if head(c) {
		return s.openStream(c).begin(nil)
	}
	sink, leave, err := s.watch(c, d)
	if err != nil {
		f := newFailure(err)
		s.logFailure(c, f)
		return s.openStream(c).begin(d.farewell(reasonOf(f.Code), max(f.retryAfter, time.Second)))
	}
	defer leave()
	s.pump(c, d, sink)
	return nil
}

// streamAPI streams JSON.
func (s *Server) streamAPI(c echo.Context) error {
	d := apiDialect()
	if head(c) {
		id, err := ballotID(c)
		if err != nil {
			return err
		}
		if _, err := s.ballots.Result(c.Request().Context(), id, 0); err != nil {
			return err
		}
		return s.openStream(c).begin(nil)
	}
	sink, leave, err := s.watch(c, d)
	if err != nil {
		return err
	}
	defer leave()
	s.pump(c, d, sink)
	return nil
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

// watch takes a seat and opens the stream in the runtime.
func (s *Server) watch(c echo.Context, d dialect) (from *sink, leave func(), err error) {
	r := c.Request()
	id, err := ballotID(c)
	if err != nil {
		return nil, nil, err
	}
	if s.draining.Load() {
		return nil, nil, errDraining()
	}
	stand, ok := s.seats.take(limit.AddressKey(s.client(r)))
	if !ok {
		return nil, nil, oponn.Retryable(oponn.CodeBusy, busyPause, nil, "Too many are watching at this moment. Please try again in a while.")
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Deadline)
	defer cancel()
	from = newSink()
	depart, err := s.ballots.Watch(ctx, id, oponn.Viewer{Group: d.group, Render: d.render, Sink: from,
		After: max(seen(c), parseVersion(r.Header.Get("Last-Event-ID")))})
	if err != nil {
		stand()
		return nil, nil, err
	}
	return from, func() { depart(); stand() }, nil
}

// pump writes what the sink is offered until the stream ends or the viewer
// has gone, who then can't be told anything.
func (s *Server) pump(c echo.Context, d dialect, from *sink) {
	w := s.openStream(c)
	if w.begin(d.hello(time.Now())) != nil {
		return
	}
	ending := s.ending
	for {
		select {
		case <-c.Request().Context().Done():
			return
		case <-ending:
			ending = nil
			from.End(oponn.EndDraining)
		case <-from.wake:
		}
		if taken, ok := from.take(); ok {
			if w.deliver(d, taken) != nil || taken.end != "" {
				return
			}
			from.written()
		}
	}
}

// streamWriter writes events to one viewer.
type streamWriter struct {
	response   *echo.Response
	controller *http.ResponseController
	// prelude is the one that the viewer got last.
	prelude []byte
	started bool
}

func (s *Server) openStream(c echo.Context) *streamWriter {
	return &streamWriter{response: c.Response(), controller: http.NewResponseController(c.Response().Writer)}
}

// begin sends the head and the first event at once.
func (w *streamWriter) begin(first []byte) error {
	h := w.response.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	// The connection's read deadline would end the stream; where deadlines
	// can't be moved, there are none.
	_ = w.controller.SetReadDeadline(time.Time{})
	w.response.WriteHeader(http.StatusOK)
	return w.write(first)
}

// deliver sends a frame, a beat and the end, whatever there is of them.
func (w *streamWriter) deliver(d dialect, what delivery) error {
	var out []byte
	if what.frame != nil {
		out = w.withoutKnown(what.frame.Bytes)
	}
	if what.beat {
		out = append(out[:len(out):len(out)], event{name: "beat", data: d.beat(time.Now())}.append(nil)...)
	}
	if what.end != "" {
		out = append(out[:len(out):len(out)], d.farewell(what.end, time.Second)...)
	}
	return w.write(out)
}

// withoutKnown leaves out a frame's prelude if the viewer knows it. The first
// one is known, too: the frame says the same.
func (w *streamWriter) withoutKnown(frame []byte) []byte {
	prelude, rest := splitPrelude(frame)
	known := !w.started || bytes.Equal(prelude, w.prelude)
	w.started, w.prelude = true, prelude
	if known {
		return rest
	}
	return frame
}

// write sends bytes within its patience, however old the stream is.
func (w *streamWriter) write(b []byte) error {
	_ = w.controller.SetWriteDeadline(time.Now().Add(writePatience))
	if _, err := w.response.Write(b); err != nil {
		return err
	}
	if err := w.controller.Flush(); err != nil {
		return err
	}
	// HTTP/2 ends a stream whose deadline passes even while nothing is written.
	_ = w.controller.SetWriteDeadline(time.Time{})
	return nil
}
