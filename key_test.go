package oponn_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/oponn/oponn"
)

// testKey is a Key of real cryptography whose nonces follow from what is
// sealed, so that the same effect is the same bytes.
type testKey struct {
	secret []byte
	aead   cipher.AEAD
}

// keyNamed returns the key that belongs to a name, always the same.
func keyNamed(name string) oponn.Key {
	secret := sha256.Sum256([]byte(name))
	key := testKey{secret: secret[:]}
	block, err := aes.NewCipher(key.mac("aead"))
	if err != nil {
		panic(err)
	}
	if key.aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	return key
}

func (k testKey) Seal(dst, plaintext []byte, field oponn.Field, bindings ...[]byte) []byte {
	ad := associated(field, bindings)
	nonce := k.mac("nonce", ad, plaintext)[:k.aead.NonceSize()]
	return k.aead.Seal(append(dst, nonce...), nonce, plaintext, ad)
}

func (k testKey) Open(dst, sealed []byte, field oponn.Field, bindings ...[]byte) ([]byte, error) {
	if len(sealed) < k.aead.NonceSize() {
		return nil, oponn.Internal(errors.New("too short to be sealed"))
	}
	nonce, body := sealed[:k.aead.NonceSize()], sealed[k.aead.NonceSize():]
	plain, err := k.aead.Open(dst, nonce, body, associated(field, bindings))
	if err != nil {
		return nil, oponn.Internal(err)
	}
	return plain, nil
}

func (k testKey) VoterTag(voter oponn.VoterID) oponn.VoterTag {
	return oponn.VoterTag(k.mac("tag", voter[:]))
}

func (k testKey) WriteInID(fold string) oponn.OptionID {
	return oponn.OptionID("w" + base64.RawURLEncoding.EncodeToString(k.mac("write-in", []byte(fold))[:8]))
}

func (k testKey) Locator(tag oponn.VoterTag, revision uint32) string {
	place := binary.BigEndian.AppendUint32(slices.Clone(tag[:]), revision)
	return base64.RawURLEncoding.EncodeToString(append(place, k.mac("locator", place)...))
}

func (k testKey) ReadLocator(locator string) (oponn.VoterTag, uint32, error) {
	plain, err := base64.RawURLEncoding.Strict().DecodeString(locator)
	if err != nil || len(plain) != 36 || !hmac.Equal(plain[20:], k.mac("locator", plain[:20])) {
		return oponn.VoterTag{}, 0, oponn.Errorf(oponn.CodeNotFound, "There is no such receipt.")
	}
	return oponn.VoterTag(plain[:16]), binary.BigEndian.Uint32(plain[16:]), nil
}

// mac returns the first 16 bytes of a keyed hash of the parts, which is the
// length of a tag and of an AES-128 key.
func (k testKey) mac(purpose string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(associated(oponn.Field(purpose), parts))
	return h.Sum(nil)[:16]
}

// associated joins the parts, each with its length before it.
func associated(field oponn.Field, parts [][]byte) []byte {
	ad := binary.AppendUvarint(nil, uint64(len(field)))
	ad = append(ad, field...)
	for _, part := range parts {
		ad = binary.AppendUvarint(ad, uint64(len(part)))
		ad = append(ad, part...)
	}
	return ad
}
