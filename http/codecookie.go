package http

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// codeCookie begins the name of the cookie that stands for a code: signed, one
// for each ballot, with the ballot and the voter that the code is. The code
// itself can't be told from it.
const codeCookie = "oponn_code_"

// maxCodeCookies is how many ballots of this kind a browser remembers.
const maxCodeCookies = 20

// codeVoterKey is where a request keeps the voter of a code that came with it:
// its cookie goes out with the answer.
const codeVoterKey = "oponn code voter"

// takeCode makes the browser the voter of a code on a ballot.
func (s *Server) takeCode(c echo.Context, ballot oponn.BallotID, voter oponn.VoterID) {
	s.makeRoom(c, codeCookie, ballot, maxCodeCookies)
	s.setCookie(c, codeCookieName(ballot, s.secure(c.Request())), s.codes.sign(append(ballot[:], voter[:]...)), int(cookieAge/time.Second))
	c.Set(codeVoterKey, voter)
}

// makeRoom makes room for a cookie of a kind of which there is one for each
// ballot. Those beyond the most that a browser may keep go, the oldest first:
// that is the order in which browsers send them (RFC 6265, section 5.4).
func (s *Server) makeRoom(c echo.Context, kind string, ballot oponn.BallotID, most int) {
	r := c.Request()
	prefix := cookieName(kind, s.secure(r))
	var others []string
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, prefix) && cookie.Name != prefix+ballot.String() {
			others = append(others, cookie.Name)
		}
	}
	for len(others) >= most {
		s.setCookie(c, others[0], "", -1)
		others = others[1:]
	}
}

func (s *Server) setCookie(c echo.Context, name, value string, age int) {
	http.SetCookie(c.Response(), &http.Cookie{ //nolint:gosec // Secure wherever browsers reach us by https
		Name: name, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: s.secure(c.Request()), SameSite: http.SameSiteLaxMode,
	})
}

func codeCookieName(ballot oponn.BallotID, secure bool) string {
	return cookieName(codeCookie+ballot.String(), secure)
}

// codeVoter returns the voter whose code the browser has shown on a ballot.
func (s *Server) codeVoter(c echo.Context, ballot oponn.BallotID) (voter oponn.VoterID, ok bool) {
	if voter, ok = c.Get(codeVoterKey).(oponn.VoterID); ok {
		return voter, true
	}
	r := c.Request()
	cookie, err := r.Cookie(codeCookieName(ballot, s.secure(r)))
	if err != nil {
		return voter, false
	}
	payload, ok := s.codes.verify(cookie.Value, len(ballot)+len(voter))
	if !ok || oponn.BallotID(payload[:len(ballot)]) != ballot {
		return voter, false
	}
	return oponn.VoterID(payload[len(ballot):]), true
}

// dropCode takes the cookie of a code that is none away.
func (s *Server) dropCode(c echo.Context, ballot oponn.BallotID) {
	s.setCookie(c, codeCookieName(ballot, s.secure(c.Request())), "", -1)
}

// ballotVoter returns who asks, as a voter of a ballot: the one of its code
// where the browser has shown one, which it can where codes vote and nowhere
// else; or else the browser itself.
func (s *Server) ballotVoter(c echo.Context, ballot oponn.BallotID) (voter oponn.VoterID, byCode, ok bool) {
	if voter, ok = s.codeVoter(c, ballot); ok {
		return voter, true, true
	}
	voter, ok = s.voter(c.Request())
	return voter, false, ok
}
