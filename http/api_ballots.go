package http

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/export"
)

// createByAPI makes a ballot. Its owner is whoever keeps the owner key.
func (s *Server) createByAPI(c echo.Context) error {
	draft, err := s.readDraft(c)
	if err != nil {
		return err
	}
	if err := s.spendByAddress(c.Request(), s.budgets.ballots, tooManyBallots); err != nil {
		return err
	}
	created, err := s.ballots.Create(c.Request().Context(), draft, oponn.OwnerID{})
	if err != nil {
		return err
	}
	id := created.Snapshot.Ballot.ID
	c.Response().Header().Set("Location", s.base(c.Request())+"/api/v1"+votePath(id))
	return writeJSON(c, http.StatusCreated, struct {
		ID       string           `json:"id"`
		OwnerKey string           `json:"owner_key"`
		URL      string           `json:"url"`
		Options  []optionDocument `json:"options"`
	}{id.String(), created.OwnerKey, s.base(c.Request()) + votePath(id), optionDocuments(created.Snapshot, oponn.Onlooker{Owner: true})})
}

// getBallot returns a ballot's definition.
func (s *Server) getBallot(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, seen(c))
	if err != nil {
		return err
	}
	o, err := s.apiOnlooker(c, snapshot)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, s.ballotDocument(c, snapshot, o))
}

// getResults returns the result. The client may say which version it has, and
// is never given an older one.
func (s *Server) getResults(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	match := strings.Join(c.Request().Header.Values("If-None-Match"), ",")
	snapshot, err := s.ballots.Result(c.Request().Context(), id, max(seen(c), newestTag(match)))
	if err != nil {
		return err
	}
	o, err := s.apiOnlooker(c, snapshot)
	if err != nil {
		return err
	}
	if snapshot.Ballot.Definition.Rules != (oponn.Rules{}) { // what is shown may depend on who asks
		c.Response().Header().Set("Vary", "Authorization")
	}
	if !snapshot.ShowsCounts(o) {
		return resultsHidden(snapshot)
	}
	tag := strconv.Quote(strconv.FormatUint(snapshot.Version, 10))
	c.Response().Header().Set("ETag", tag)
	c.Response().Header().Set("Cache-Control", "no-cache")
	if matchesTag(match, tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, export.NewResults(snapshot, o))
}

// newestTag returns the highest version among the entity tags of an
// If-None-Match header.
func newestTag(match string) uint64 {
	var newest uint64
	for tag := range strings.SplitSeq(match, ",") {
		newest = max(newest, parseVersion(strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)))
	}
	return newest
}

// matchesTag compares weakly, as If-None-Match does (RFC 9110, section 13.1.2).
func matchesTag(match, tag string) bool {
	for candidate := range strings.SplitSeq(match, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
