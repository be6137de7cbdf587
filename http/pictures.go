package http

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

const (
	mediaSVG = "image/svg+xml"
	mediaPNG = "image/png"
	// drawers is how many pictures are drawn at once, keptPictures how many are
	// kept: some 60 KB each.
	drawers      = 2
	keptPictures = 128
	// paceLimit is how long the log of a ballot may be read for its chart, and
	// paceAgain when it is tried anew after it took longer.
	paceLimit = 3 * time.Second
	paceAgain = time.Minute
	keptPaces = 512
)

// memo keeps what was made last, the oldest of which makes room, and bounds how
// much is made at once. It is safe for concurrent use.
type memo[K comparable, V any] struct {
	most    int
	working chan struct{}

	mu    sync.Mutex
	kept  map[K]V
	order []K
}

func newMemo[K comparable, V any](most, workers int) *memo[K, V] {
	return &memo[K, V]{most: most, working: make(chan struct{}, workers), kept: make(map[K]V)}
}

// get returns what is kept under the key, or makes it. An error is not kept.
func (m *memo[K, V]) get(ctx context.Context, key K, create func() (V, error)) (V, error) {
	if value, ok := m.find(key); ok {
		return value, nil
	}
	var none V
	select {
	case m.working <- struct{}{}:
		defer func() { <-m.working }()
	case <-ctx.Done():
		return none, oponn.Retryable(oponn.CodeBusy, time.Second, ctx.Err(), "Many pictures are drawn at this moment. Please try again.")
	}
	if value, ok := m.find(key); ok { // somebody else has made it meanwhile
		return value, nil
	}
	value, err := create()
	if err != nil {
		return none, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.order) >= m.most {
		delete(m.kept, m.order[0])
		m.order = append(m.order[:0], m.order[1:]...)
	}
	m.kept[key], m.order = value, append(m.order, key)
	return value, nil
}

func (m *memo[K, V]) find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.kept[key]
	return value, ok
}

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
func (s *Server) pace(ctx context.Context, b oponn.Snapshot, o oponn.Onlooker) oponn.Pace {
	if b.State.Status != oponn.Closed || !b.ShowsCounts(o) || b.State.Voters < oponn.PaceBucket {
		return nil
	}
	key := paceKey{b.Ballot.ID, b.Version}
	if found, ok := s.paces.find(key); ok && !found.failed.IsZero() && time.Since(found.failed) > paceAgain {
		s.paces.drop(key)
	}
	ctx, cancel := context.WithTimeout(ctx, paceLimit)
	defer cancel()
	found, err := s.paces.get(ctx, key, func() (paceFound, error) {
		pace, err := s.ballots.Pace(ctx, b)
		if err != nil {
			return paceFound{failed: time.Now()}, nil //nolint:nilerr // a page goes without it
		}
		return paceFound{pace: pace}, nil
	})
	if err != nil {
		return nil
	}
	return found.pace
}

// drop forgets a key.
func (m *memo[K, V]) drop(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.kept[key]; !ok {
		return
	}
	delete(m.kept, key)
	for i, k := range m.order {
		if k == key {
			m.order = append(m.order[:i], m.order[i+1:]...)
			return
		}
	}
}

// paceChart returns a chart for a page; nil for none.
func (s *Server) paceChart(c echo.Context, b oponn.Snapshot, o oponn.Onlooker, shape views.PaceShape) *views.Picture {
	return views.PacePicture(locale(c.Request()), b.Ballot.Definition.Question, s.pace(c.Request().Context(), b, o), shape)
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
		l, pixels := locale(c.Request()), mediaType == mediaPNG
		var figure *views.Picture
		switch {
		case name == "bars":
			figure = views.BarsPicture(l, snapshot.Ballot.Definition.Question, resultData(snapshot, o), pixels)
		case pixels:
			figure = s.paceChart(c, snapshot, o, views.PacePNG)
		case c.QueryParam("as") == asProjector:
			figure = s.paceChart(c, snapshot, o, views.PaceColumn)
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
