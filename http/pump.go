package http

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// writePatience is how long one write to a viewer may take.
const writePatience = 10 * time.Second

// pump writes what the sink is offered until the stream ends or the viewer
// has gone, who then can't be told anything. It is the way of TLS and HTTP/2,
// whose bytes net/http has to make.
func (s *Server) pump(c echo.Context, d *dialect, from *sink) {
	w := newStreamWriter(c)
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
			if w.deliver(d, taken, from.sent) != nil || taken.end != "" {
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
	shown      uint64 // the version that the viewer got last
}

func newStreamWriter(c echo.Context) *streamWriter {
	return &streamWriter{response: c.Response(), controller: http.NewResponseController(c.Response().Writer)}
}

// streamHeader sets what the head of a stream says.
func streamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
}

// begin sends the head and the first event at once.
func (w *streamWriter) begin(first []byte) error {
	streamHeader(w.response.Header())
	// The connection's read deadline would end the stream; where deadlines
	// can't be moved, there are none.
	_ = w.controller.SetReadDeadline(time.Time{})
	w.response.WriteHeader(http.StatusOK)
	return w.write(first)
}

// deliver sends a frame, a beat and the end, whatever there is of them.
func (w *streamWriter) deliver(d *dialect, what delivery, count *cell) error {
	var out []byte
	if what.frame != nil {
		out = news(what.frame, w.shown)
		w.shown = what.frame.Version
		count.frames.Add(1)
	}
	if what.beat {
		out = append(out[:len(out):len(out)], d.heartbeat(time.Now())...)
	}
	if what.end != "" {
		out = append(out[:len(out):len(out)], d.farewell(what.end, time.Second)...)
	}
	count.bytes.Add(uint64(len(out)))
	return w.write(out)
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
