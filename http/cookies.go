package http

import (
	"net/http"
	"time"

	"github.com/oponn/oponn"
)

// cookieAge is as long as browsers keep a cookie at all.
const cookieAge = 400 * 24 * time.Hour

// identity is a signed cookie with 128 random bits that name a browser.
type identity struct {
	name   string
	signer signer
	// session says that it goes when the browser is closed.
	session bool
}

// read returns the id in the request's cookie. One that is forged is none.
func (i identity) read(r *http.Request, secure bool) (id [16]byte, ok bool) {
	cookie, err := r.Cookie(cookieName(i.name, secure))
	if err != nil {
		return id, false
	}
	payload, ok := i.signer.verify(cookie.Value, len(id))
	if ok {
		id = [16]byte(payload)
	}
	return id, ok
}

// set sends the id to the browser, signed anew and for another 400 days.
func (i identity) set(w http.ResponseWriter, secure bool, id [16]byte) {
	age := int(cookieAge / time.Second)
	if i.session {
		age = 0
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever browsers reach us by https
		Name: cookieName(i.name, secure), Value: i.signer.sign(id[:]),
		Path: "/", MaxAge: age,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

// cookieName adds the prefix that makes browsers refuse such a cookie from
// another host or an insecure connection.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// voter returns whose browser asks.
func (s *Server) voter(r *http.Request) (oponn.VoterID, bool) {
	id, ok := s.voters.read(r, s.secure(r))
	return oponn.VoterID(id), ok
}

// greetVoter makes sure that the browser has a voter's cookie.
func (s *Server) greetVoter(w http.ResponseWriter, r *http.Request) oponn.VoterID {
	id, ok := s.voter(r)
	if !ok {
		id = oponn.NewVoterID()
	}
	s.voters.set(w, s.secure(r), id)
	return id
}

// owner returns whose browser asks, as one that makes ballots.
func (s *Server) owner(r *http.Request) (oponn.OwnerID, bool) {
	id, ok := s.owners.read(r, s.secure(r))
	return oponn.OwnerID(id), ok
}

// greetOwner makes sure that the browser has an owner's cookie.
func (s *Server) greetOwner(w http.ResponseWriter, r *http.Request) oponn.OwnerID {
	id, ok := s.owner(r)
	if !ok {
		id = oponn.NewOwnerID()
	}
	s.owners.set(w, s.secure(r), id)
	return id
}
