package http

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// createByAPI makes a ballot. Its owner is whoever keeps the owner key.
func (s *Server) createByAPI(c echo.Context) error {
	draft, err := s.readDraft(c)
	if err != nil {
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
	}{id.String(), created.OwnerKey, s.base(c.Request()) + votePath(id), optionDocuments(created.Snapshot)})
}

func (s *Server) readDraft(c echo.Context) (oponn.Draft, error) {
	var draft oponn.Draft
	var opens, closes *string
	err := readJSON(c, creationLimit, map[string]any{
		"question": &draft.Question, "options": &draft.Options, "allow_write_in": &draft.AllowWriteIn,
		"opens_at": &opens, "closes_at": &closes,
	})
	if err != nil {
		return oponn.Draft{}, err
	}
	var wrong []oponn.FieldError
	opensAt, bad := readMoment("opens_at", opens)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	closesAt, bad := readMoment("closes_at", closes)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	if len(wrong) > 0 {
		now, err := s.ballots.Now(c.Request().Context())
		if err != nil {
			return oponn.Draft{}, err
		}
		return oponn.Draft{}, invalidBesides(draft, now, wrong...)
	}
	draft.Window = oponn.Window{OpensAt: opensAt, ClosesAt: closesAt}
	return draft, nil
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
	return writeJSON(c, http.StatusOK, s.ballotDocument(c, snapshot))
}

// changeBallot lets the owner close a ballot.
func (s *Server) changeBallot(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	snapshot, err := s.ballots.Result(c.Request().Context(), id, 0)
	if err != nil {
		return err
	}
	if !snapshot.Ballot.Owns(bearer(c.Request())) {
		return oponn.Errorf(oponn.CodeOwnerRequired, "Only the owner's key opens this.")
	}
	var status *string
	if err := readJSON(c, otherLimit, map[string]any{"status": &status}); err != nil {
		return err
	}
	switch {
	case status == nil:
		return oponn.Invalid(oponn.FieldError{Field: "status", Code: "required", Message: "Please say what to change."})
	case *status != string(oponn.Closed):
		return oponn.Invalid(oponn.FieldError{Field: "status", Code: "unknown", Message: "A ballot can be set to closed, to nothing else."})
	}
	if snapshot, err = s.ballots.Change(c.Request().Context(), id, oponn.Change{Status: oponn.Closed}); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, s.ballotDocument(c, snapshot))
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
	tag := strconv.Quote(strconv.FormatUint(snapshot.Version, 10))
	c.Response().Header().Set("ETag", tag)
	c.Response().Header().Set("Cache-Control", "no-cache")
	if matchesTag(match, tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return writeJSON(c, http.StatusOK, newTallyDocument(snapshot))
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
