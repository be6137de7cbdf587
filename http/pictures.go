package http

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

const (
	mediaSVG = "image/svg+xml; charset=utf-8"
	mediaPNG = "image/png"
	// drawers is how many pictures are drawn at once, keptPictures how many are
	// kept: some 60 KB each.
	drawers      = 2
	keptPictures = 128
	// paceWait is how long a page waits for its chart, paceLimit how long the log
	// of a ballot may be read for it, paceReaders how many are read at once, and
	// paceAgain when it is tried anew after it took longer.
	paceWait    = 500 * time.Millisecond
	paceLimit   = 30 * time.Second
	paceReaders = 2
	paceAgain   = time.Minute
	keptPaces   = 512
)

// paceKey is a closed ballot at a version: what it tells never changes.
type paceKey struct {
	ballot  oponn.BallotID
	version uint64
}

// paceFound is a pace, or that it took too long at a time.
type paceFound struct {
	pace   oponn.Pace
	failed time.Time
}

// pace returns how the votes of a closed ballot came in, to whoever may see the
// counts; nil when there is nothing to show.
func (s *Server) pace(ctx context.Context, b oponn.Snapshot, o oponn.Onlooker, wait time.Duration) oponn.Pace {
	if b.State.Status != oponn.Closed || !b.ShowsCounts(o) || b.State.Voters < oponn.PaceBucket {
		return nil
	}
	key := paceKey{b.Ballot.ID, b.Version}
	found, ok := s.paces.find(key)
	if ok && !found.failed.IsZero() && time.Since(found.failed) > paceAgain {
		s.paces.drop(key)
		ok = false
	}
	if !ok {
		patience, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		select {
		case <-s.paces.start(key, func() paceFound { return s.findPace(b) }):
		case <-patience.Done():
		}
		found, _ = s.paces.find(key)
	}
	return found.pace
}

// findPace reads a ballot's log, however long nobody waits for it.
func (s *Server) findPace(b oponn.Snapshot) paceFound {
	ctx, cancel := context.WithTimeout(context.Background(), paceLimit)
	defer cancel()
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	pace, err := s.ballots.Pace(ctx, b)
	if err != nil {
		s.cfg.Logger.Warn("no votes over time", "error", err)
		return paceFound{failed: time.Now()}
	}
	return paceFound{pace: pace}
}

// paceChart returns a chart; nil for none. A page doesn't wait for it long.
func (s *Server) paceChart(c echo.Context, b oponn.Snapshot, o oponn.Onlooker, shape views.PaceShape) *views.Picture {
	wait := paceWait
	if shape.File() {
		wait = s.cfg.Deadline
	}
	return views.PacePicture(s.locale(c.Request()), b.Ballot.Definition.Question, s.pace(c.Request().Context(), b, o, wait), shape)
}

// resultPicture returns the handler for a picture of a result, for whoever may
// see it.
func (s *Server) resultPicture(name, mediaType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := ballotID(c)
		if err != nil {
			return err
		}
		ctx := c.Request().Context()
		snapshot, err := s.ballots.Result(ctx, id, seen(c))
		if err != nil {
			return err
		}
		o, err := s.browserOnlooker(c, snapshot)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Vary", "Accept-Language, Cookie")
		if !snapshot.ShowsCounts(o) {
			return resultsHidden(snapshot)
		}
		o.Projected = o.Owner // it is made to be shown to others
		l, pixels := s.locale(c.Request()), mediaType == mediaPNG
		var figure *views.Picture
		switch {
		case name == "bars":
			figure = views.BarsPicture(l, snapshot.Ballot.Definition.Question, resultData(snapshot, o), pixels)
		case pixels:
			figure = s.paceChart(c, snapshot, o, views.PacePNG)
		case c.QueryParam("as") == asProjector:
			figure = s.paceChart(c, snapshot, o, views.PaceColumnFile)
		default:
			figure = s.paceChart(c, snapshot, o, views.PaceSVG)
		}
		if figure == nil {
			return oponn.Errorf(oponn.CodeNotFound, "This picture is there once the ballot has closed with ten votes or more.")
		}
		attach(c, id, name+map[bool]string{true: ".png", false: ".svg"}[pixels], mediaType)
		if pixels {
			drawn, err := s.drawn(ctx, pictureKey{ballot: id, version: snapshot.Version, kind: name, language: l.Lang(), class: snapshot.Ballot.Definition.Class(o)}, figure)
			if err != nil {
				return err
			}
			return c.Blob(http.StatusOK, mediaType, drawn)
		}
		var svg bytes.Buffer
		if err := figure.SVG(&svg); err != nil {
			return oponn.Internal(err)
		}
		return c.Blob(http.StatusOK, mediaType, svg.Bytes())
	}
}

// pictureKey is what a drawn picture depends on.
type pictureKey struct {
	ballot         oponn.BallotID
	version        uint64
	kind, language string
	class          oponn.Onlooker
}

// drawn returns a figure's pixels.
func (s *Server) drawn(ctx context.Context, key pictureKey, figure *views.Picture) ([]byte, error) {
	return s.pictures.get(ctx, key, func() ([]byte, error) {
		drawn, err := figure.PNG()
		if err != nil {
			return nil, oponn.Internal(err)
		}
		return drawn, nil
	})
}

// previewAge is how long others may keep the picture of a link.
var previewAge = []string{"public, max-age=300"}

// showPreview returns the picture that messengers and social networks show of a
// link: the question, what one can choose, and of a closed ballot the result
// that everybody may see. It is the same for all who ask, and tells nothing of
// votes before.
func (s *Server) showPreview(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return err
	}
	d := &snapshot.Ballot.Definition
	preview := views.Preview{Question: d.Question, Status: snapshot.State.Status, Labels: d.Labels}
	key := pictureKey{ballot: id, version: uint64(d.Revision), kind: "preview/" + string(preview.Status)}
	if snapshot.State.Status == oponn.Closed && snapshot.ShowsCounts(oponn.Onlooker{}) {
		result := resultData(snapshot, oponn.Onlooker{})
		preview.Result, key.version, key.kind = &result, snapshot.Version, "preview/result"
	}
	drawn, err := s.drawn(c.Request().Context(), key, views.PreviewPicture(locales.All()[0], preview))
	if err != nil {
		return err
	}
	c.Response().Header()["Cache-Control"] = previewAge
	return c.Blob(http.StatusOK, mediaPNG, drawn)
}
