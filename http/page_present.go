package http

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// The values of the query as of a stream, which take rights away: an owner who
// looks together with a room, and anybody.
const (
	asProjector = "projector"
	asAnybody   = "anybody"
)

// showPresent shows the page for a projector. Whoever may see the counts may
// show them to a room; those that the room may not see yet are covered until
// somebody reveals them.
func (s *Server) showPresent(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, seen(c))
	if err != nil {
		return err
	}
	o, err := s.browserOnlooker(c, snapshot)
	if err != nil {
		return err
	}
	o.Projected = o.Owner
	o = snapshot.Ballot.Definition.Class(o)
	version, covered := snapshot.Version, c.QueryParam("results") == views.ResultsCovered
	if !snapshot.ShowsCounts(o) {
		version, covered = 0, false // nothing is there that could be covered
	} else if !snapshot.ShowsCounts(oponn.Onlooker{}) {
		covered = c.QueryParam("results") != views.ResultsShown
	}
	site := s.shareBase(c.Request())
	view := views.Present{ID: id.String(), Question: snapshot.Ballot.Definition.Question, Result: resultData(snapshot, o), Version: version,
		ShareURL: s.shareURL(c, id), JoinCode: s.joinCode(c, snapshot), Site: site[strings.Index(site, "://")+3:],
		Watching: s.ballots.Watching(id), Covered: covered, Pace: s.paceChart(c, snapshot, o, views.PaceColumn)}
	if view.Before, view.After, err = s.beside(c, snapshot); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, views.PresentPage(s.page(c), view))
}

// beside returns the ids of the browser's ballots next to one of its own.
func (s *Server) beside(c echo.Context, b oponn.Snapshot) (before, after string, err error) {
	owner, ok := s.owner(c.Request())
	if !ok || !b.Ballot.OwnedBy(owner) {
		return "", "", nil
	}
	older, younger, err := s.ballots.Beside(c.Request().Context(), owner, b.Ballot.ID)
	for id, name := range map[oponn.BallotID]*string{older: &before, younger: &after} {
		if id != (oponn.BallotID{}) {
			*name = id.String()
		}
	}
	return before, after, err
}

// showWatching says in words how many watch, for the script of that page.
func (s *Server) showWatching(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	if _, err := s.ballots.Result(c.Request().Context(), id, 0); err != nil {
		return err
	}
	c.Response().Header().Set("Vary", "Accept-Language, Cookie")
	return c.String(http.StatusOK, views.Watching(s.page(c), s.ballots.Watching(id)))
}

// embedPolicy is that of the page for frames: it is the only one that other
// sites may put into theirs. It has no form.
var embedPolicy = []string{strings.NewReplacer("frame-ancestors 'none'", "frame-ancestors *", "form-action 'self'", "form-action 'none'").Replace(pagePolicy[0])}

// showEmbed shows what everybody may see, whoever asks: the frame's site must
// not depend on who looks at it.
func (s *Server) showEmbed(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, seen(c))
	if err != nil {
		return err
	}
	nobody, version := oponn.Onlooker{}, snapshot.Version
	if !snapshot.ShowsCounts(nobody) {
		version = 0
	}
	h := c.Response().Header()
	h["Content-Security-Policy"] = embedPolicy
	h.Del("Cross-Origin-Opener-Policy") // means nothing in a frame
	return s.show(c, http.StatusOK, views.EmbedPage(s.page(c), views.Embed{ID: id.String(), Question: snapshot.Ballot.Definition.Question,
		Result: resultData(snapshot, nobody), Version: version, ShareURL: s.shareURL(c, id)}))
}

// shareURL is the short link of a ballot, for others.
func (s *Server) shareURL(c echo.Context, id oponn.BallotID) string {
	return s.shareBase(c.Request()) + "/b/" + id.String()
}

// openShort leads from a short link to the ballot.
func (s *Server) openShort(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusFound, votePath(id))
}

// joinCode returns a ballot's join code; empty for none. A page goes without it
// when there is none to be had.
func (s *Server) joinCode(c echo.Context, b oponn.Snapshot) oponn.JoinCode {
	code, err := s.ballots.JoinCode(c.Request().Context(), b)
	if err != nil {
		s.log(c, slog.LevelWarn, "no join code", "error", err)
		return ""
	}
	return code
}
