package storetest

import (
	"bytes"
	"context"
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

// Keys returns a Keyring for tests only: every key follows from the ballot's
// id, so anyone can open anything. What it seals is real AES-256-GCM, bound to
// field and bindings, and deterministic: the same plaintext in the same place
// gives the same bytes.
func Keys() oponn.Keyring { return keyring{} }

type keyring struct{}

func (keyring) Create(_ context.Context, ballot oponn.BallotID) (oponn.WrappedKey, oponn.Key, error) {
	key := newKey(ballot)
	return oponn.WrappedKey{KEK: "storetest", Blob: key.mac("blob"), Commitment: key.mac("commitment")}, key, nil
}

func (keyring) Open(_ context.Context, ballot oponn.BallotID, wrapped oponn.WrappedKey) (oponn.Key, error) {
	key := newKey(ballot)
	if wrapped.KEK != "storetest" || !bytes.Equal(wrapped.Blob, key.mac("blob")) || !bytes.Equal(wrapped.Commitment, key.mac("commitment")) {
		return nil, oponn.Internal(errors.New("storetest: the wrapped key is another ballot's or damaged"))
	}
	return key, nil
}

func (keyring) Forget(oponn.BallotID) {}

type key struct {
	secret [32]byte
	aead   cipher.AEAD
}

func newKey(ballot oponn.BallotID) *key {
	k := &key{secret: sha256.Sum256(append([]byte("storetest key "), ballot[:]...))}
	block, err := aes.NewCipher(k.secret[:])
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	return k
}

// mac returns 32 bytes that depend on the key, a purpose and the parts.
func (k *key) mac(purpose string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k.secret[:])
	h.Write(join(append([][]byte{[]byte(purpose)}, parts...)...))
	return h.Sum(nil)
}

// join writes each part after its length, so that no two lists look alike.
func join(parts ...[]byte) []byte {
	var out []byte
	for _, part := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(part))), part...)
	}
	return out
}

func associated(field oponn.Field, bindings [][]byte) []byte {
	return join(append([][]byte{[]byte(field)}, bindings...)...)
}

// Seal makes the nonce from all that is sealed, so that it repeats only when
// everything does.
func (k *key) Seal(dst, plaintext []byte, field oponn.Field, bindings ...[]byte) []byte {
	data := associated(field, bindings)
	nonce := k.mac("nonce", data, plaintext)[:k.aead.NonceSize()]
	return k.aead.Seal(append(dst, nonce...), nonce, plaintext, data)
}

func (k *key) Open(dst, sealed []byte, field oponn.Field, bindings ...[]byte) ([]byte, error) {
	n := k.aead.NonceSize()
	if len(sealed) < n {
		return nil, oponn.Internal(errors.New("storetest: the sealed value is too short"))
	}
	plain, err := k.aead.Open(dst, sealed[:n], sealed[n:], associated(field, bindings))
	if err != nil {
		return nil, oponn.Internal(err)
	}
	return plain, nil
}

func (k *key) VoterTag(voter oponn.VoterID) oponn.VoterTag {
	return oponn.VoterTag(k.mac("voter", voter[:])[:16])
}

func (k *key) WriteInID(fold string) oponn.OptionID {
	return oponn.OptionID("w" + base64.RawURLEncoding.EncodeToString(k.mac("write-in", []byte(fold))[:8]))
}

func (k *key) Locator(tag oponn.VoterTag, revision uint32) string {
	body := binary.BigEndian.AppendUint32(slices.Clone(tag[:]), revision)
	return base64.RawURLEncoding.EncodeToString(append(body, k.mac("locator", body)[:16]...))
}

func (k *key) ReadLocator(locator string) (oponn.VoterTag, uint32, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(locator)
	if err != nil || len(raw) != 36 || !hmac.Equal(raw[20:], k.mac("locator", raw[:20])[:16]) {
		return oponn.VoterTag{}, 0, oponn.Errorf(oponn.CodeNotFound, "There is no such receipt.")
	}
	return oponn.VoterTag(raw[:16]), binary.BigEndian.Uint32(raw[16:20]), nil
}
