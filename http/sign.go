package http

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"sync"
)

// The purposes of signatures. Each has a subkey of its own (HKDF, RFC 5869),
// so that what was signed for one can't be passed off as another. The strings
// are part of the format of cookies and tokens.
const (
	purposeVoterCookie = "oponn voter cookie v1"
	purposeOwnerCookie = "oponn owner cookie v1"
	purposeManager     = "oponn manager cookie v1"
	purposeCodeCookie  = "oponn code cookie v1"
	purposeVoterToken  = "oponn voter token v1" //nolint:gosec // a label, no secret
)

// signer signs payloads for one purpose: with the first secret, and it knows
// the signatures of all, so that rotating a secret takes nobody's identity.
type signer struct{ keys []*signatures }

// strict refuses a second spelling of the same bits.
var strict = base64.RawURLEncoding.Strict()

// signatures makes HMACs under one key, and uses states that have taken in the
// key again: that saves half of the work (FIPS 198-1, section 6). It is safe
// for concurrent use.
type signatures struct{ states sync.Pool }

func newSignatures(key []byte) *signatures {
	return &signatures{states: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// append appends the payload's signature to it, in a slice of its own.
func (s *signatures) append(payload []byte) []byte {
	h := s.states.Get().(hash.Hash)
	defer s.states.Put(h)
	h.Reset()
	_, _ = h.Write(payload) // never fails
	return h.Sum(payload[:len(payload):len(payload)])
}

func newSigner(purpose string, secrets [][]byte) (signer, error) {
	var s signer
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, purpose, sha256.Size)
		if err != nil {
			return signer{}, fmt.Errorf("http: derive the key for %s: %w", purpose, err)
		}
		s.keys = append(s.keys, newSignatures(key))
	}
	return s, nil
}

// sign returns payload and signature in base64url.
func (s signer) sign(payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.keys[0].append(payload))
}

// verify returns the payload, of the given length, of what sign wrote.
func (s signer) verify(text string, length int) ([]byte, bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(length+sha256.Size) {
		return nil, false
	}
	signed, err := strict.DecodeString(text)
	if err != nil {
		return nil, false
	}
	payload := signed[:length:length]
	for _, key := range s.keys {
		if hmac.Equal(key.append(payload), signed) {
			return payload, true
		}
	}
	return nil, false
}
