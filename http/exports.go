package http

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/export"
)

// Exports of votes read a whole log, twice: a few at a time, each for no longer
// than exportLimit, and for a reader who takes something every exportPatience.
const (
	maxExports     = 4
	exportLimit    = 15 * time.Minute
	exportPatience = 30 * time.Second
)

const mediaCSV = "text/csv; charset=utf-8"

// resultsFile returns the handler for a result as CSV, for whoever may see it.
func (s *Server) resultsFile(who look) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := ballotID(c)
		if err != nil {
			return err
		}
		snapshot, err := s.ballots.Result(c.Request().Context(), id, seen(c))
		if err != nil {
			return err
		}
		o, err := who(c, snapshot)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Vary", "Authorization, Cookie")
		if !snapshot.ShowsCounts(o) {
			return resultsHidden(snapshot)
		}
		attach(c, id, "results.csv", mediaCSV)
		return export.ResultsCSV(c.Response(), snapshot, o)
	}
}

// writeVotes writes an export in a format.
type writeVotes func(context.Context, io.Writer, *oponn.Export) error

// votesFile returns the handler for all votes, for the owner. It has no
// deadline but its own.
func (s *Server) votesFile(who look, name, mediaType string, write writeVotes) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := ballotID(c)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), exportLimit)
		defer cancel()
		snapshot, err := s.ballots.Result(ctx, id, seen(c))
		if err != nil {
			return err
		}
		o, err := who(c, snapshot)
		switch {
		case err != nil:
			return err
		case !o.Owner:
			return oponn.Errorf(oponn.CodeOwnerRequired, "Votes are exported for the ballot's owner alone.")
		}
		select {
		case s.exports <- struct{}{}:
			defer func() { <-s.exports }()
		default:
			return oponn.Retryable(oponn.CodeBusy, 5*time.Second, nil, "Others export votes just now. Please try again in a moment.")
		}
		return s.exportVotes(ctx, c, id, func(out io.Writer, e *oponn.Export) error {
			attach(c, id, name, mediaType)
			return write(ctx, out, e)
		})
	}
}

// exportVotes writes all votes. A file that can't be finished ends with its
// connection, so that nobody takes it for a whole one.
func (s *Server) exportVotes(ctx context.Context, c echo.Context, id oponn.BallotID, write func(io.Writer, *oponn.Export) error) error {
	out := &download{response: c.Response(), controller: http.NewResponseController(c.Response().Writer)}
	out.allow(exportLimit)
	e, err := s.ballots.Export(ctx, id)
	if err != nil {
		return err
	}
	err = write(out, e)
	if err != nil && c.Response().Committed {
		s.log(c, slog.LevelWarn, "export ended before its end", "error", err)
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		c.Response().Header().Del("Content-Disposition")
	}
	return err
}

// attach says that the answer is a file to keep.
func attach(c echo.Context, id oponn.BallotID, name, mediaType string) {
	h := c.Response().Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", `attachment; filename="oponn-`+id.String()+"-"+name+`"`)
}

// download is an answer that may take its time, as long as somebody reads it.
type download struct {
	response   *echo.Response
	controller *http.ResponseController
}

// allow gives the next write so much time. Where deadlines can't be moved,
// there are none.
func (d *download) allow(patience time.Duration) {
	_ = d.controller.SetReadDeadline(time.Time{})
	_ = d.controller.SetWriteDeadline(time.Now().Add(patience))
}

func (d *download) Write(p []byte) (int, error) {
	d.allow(exportPatience)
	return d.response.Write(p)
}
