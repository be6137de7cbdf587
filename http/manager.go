package http

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// manages says whether the browser is the ballot's owner: the one that made
// it, or one that showed the owner key.
func (s *Server) manages(r *http.Request, b *oponn.Ballot) bool {
	if owner, ok := s.owner(r); ok && b.OwnedBy(owner) {
		return true
	}
	id, ok := s.managers.read(r, s.secure(r))
	return ok && oponn.BallotID(id) == b.ID
}

func managePath(id oponn.BallotID) string { return votePath(id) + "/manage" }

// keyCookie carries the owner key of a new ballot to the page that shows it,
// the one way that leaves it in no address.
const (
	keyCookie    = "oponn_owner_key"
	keyCookieAge = 10 * time.Minute
)

// lendKey gives the browser the owner key for the page that follows.
func (s *Server) lendKey(c echo.Context, created oponn.Created) {
	http.SetCookie(c.Response(), &http.Cookie{ //nolint:gosec // Secure wherever browsers reach us by https
		Name: keyCookie, Value: created.OwnerKey, Path: resultsPath(created.Snapshot.Ballot.ID), MaxAge: int(keyCookieAge / time.Second),
		HttpOnly: true, Secure: s.secure(c.Request()), SameSite: http.SameSiteStrictMode,
	})
}

// freshManageURL returns the link that opens the owner's page of a ballot that
// was just made; empty for all others.
func (s *Server) freshManageURL(c echo.Context, b *oponn.Ballot) string {
	cookie, err := c.Cookie(keyCookie)
	if err != nil || !b.Owns(cookie.Value) {
		return ""
	}
	return s.shareBase(c.Request()) + managePath(b.ID) + "#" + cookie.Value
}
