package http

import (
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/oponn/oponn"
)

const (
	// tokenAge is how long a voter token lasts.
	tokenAge = 24 * time.Hour
	// tokenLength is that of its payload: a voter's id and the second in which
	// it expires. Nothing is stored.
	tokenLength = 16 + 8
)

// newVoterToken returns a token for a voter that never was.
func newVoterToken(s signer, now time.Time) string {
	voter := oponn.NewVoterID()
	payload := binary.BigEndian.AppendUint64(voter[:], uint64(now.Add(tokenAge).Unix()))
	return s.sign(payload)
}

// readVoterToken returns the voter of a token that has not expired.
func readVoterToken(s signer, token string, now time.Time) (oponn.VoterID, bool) {
	payload, ok := s.verify(token, tokenLength)
	if !ok || now.Unix() >= int64(binary.BigEndian.Uint64(payload[16:])) {
		return oponn.VoterID{}, false
	}
	return oponn.VoterID(payload[:16]), true
}

// bearer returns the credentials of an Authorization header (RFC 6750).
func bearer(r *http.Request) string {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credentials)
}
