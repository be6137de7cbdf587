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
	id, ok := s.manager(b.ID).read(r, s.secure(r))
	return ok && oponn.BallotID(id) == b.ID
}

// managerCookie begins the name of the cookie of whoever showed a ballot's
// owner key: one for each ballot, so that several can be managed side by side.
const (
	managerCookie     = "oponn_manager_"
	maxManagerCookies = 20
)

func (s *Server) manager(ballot oponn.BallotID) identity {
	return identity{name: managerCookie + ballot.String(), signer: s.managers, session: true}
}

// takeManager lets the browser manage a ballot until it is closed.
func (s *Server) takeManager(c echo.Context, ballot oponn.BallotID) {
	s.makeRoom(c, managerCookie, ballot, maxManagerCookies)
	s.manager(ballot).set(c.Response(), s.secure(c.Request()), ballot)
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
