package keys

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/oponn/oponn"
)

// The purposes of a local key: the info of HKDF. They are part of the stored
// format.
const (
	labelLocalWrap = "oponn/local-kek/v1/wrap"
	labelLocalID   = "oponn/local-kek/v1/id"
)

// localVersion begins every blob that a LocalKEK wrapped.
const localVersion = 1

// LocalKEK is a master key in a file: for development, and for one machine
// whose owner guards the file. It is safe for concurrent use and never
// unavailable.
//
// It wraps with AES-256-GCM and random nonces, at most 2^32 times (NIST SP
// 800-38D, section 8.3), under a subkey of what the file holds.
type LocalKEK struct {
	id   string
	wrap cipher.AEAD
}

var _ Wrapper = (*LocalKEK)(nil)

// OpenLocal reads the key file at path, or makes it, with its directory, on
// first start: processes that start at once agree on one file. The file has
// mode 0600. One that others may touch, or that is not a whole key file, is
// refused; the error names the path and the way out.
//
// Without the file nothing it wrapped can be read again: it wants a backup,
// kept apart from that of the database.
func OpenLocal(path string) (*LocalKEK, error) {
	key, err := openFile(path, kekFile)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return newLocalKEK(key)
}

func newLocalKEK(key []byte) (*LocalKEK, error) {
	fingerprint, err := hkdf.Key(sha256.New, key, nil, labelLocalID, 8)
	if err != nil {
		return nil, refused("HKDF: %w", err)
	}
	subkey, err := hkdf.Key(sha256.New, key, nil, labelLocalWrap, subkeySize)
	if err != nil {
		return nil, refused("HKDF: %w", err)
	}
	wrap, err := newAEAD(subkey, cipher.NewGCMWithRandomNonce)
	if err != nil {
		return nil, err
	}
	return &LocalKEK{id: "local:" + hex.EncodeToString(fingerprint), wrap: wrap}, nil
}

// ID returns "local:" and a fingerprint of the key: 16 hexadecimal digits.
func (k *LocalKEK) ID() string { return k.id }

// Generate makes and wraps a DEK. It never fails.
func (k *LocalKEK) Generate(_ context.Context, ballot oponn.BallotID) (plain, blob []byte, err error) {
	plain = make([]byte, DEKSize)
	_, _ = rand.Read(plain) // never fails: crypto/rand aborts the process instead
	return plain, k.seal(ballot, plain), nil
}

// Wrap takes over a DEK that another KEK made. It never fails.
func (k *LocalKEK) Wrap(_ context.Context, ballot oponn.BallotID, plain []byte) ([]byte, error) {
	return k.seal(ballot, plain), nil
}

func (k *LocalKEK) seal(ballot oponn.BallotID, plain []byte) []byte {
	return k.wrap.Seal([]byte{localVersion}, nil, plain, localAD(ballot))
}

// Unwrap returns the DEK of a blob. A blob that another KEK wrapped, or one
// that doesn't open for this ballot, is CodeInternal.
func (k *LocalKEK) Unwrap(_ context.Context, ballot oponn.BallotID, kekID string, blob []byte) ([]byte, error) {
	switch {
	case kekID != k.id:
		return nil, refused("ballot %s: its data key was wrapped by the master key %q, this process has %q: "+
			"start it with the key file that made the ballot", ballot, kekID, k.id)
	case len(blob) == 0 || blob[0] != localVersion:
		return nil, refused("ballot %s: its wrapped data key has an unknown format", ballot)
	}
	plain, err := k.wrap.Open(nil, nil, blob[1:], localAD(ballot))
	if err != nil {
		return nil, refused("ballot %s: its wrapped data key does not open under %q: %w", ballot, k.id, err)
	}
	return plain, nil
}

// localAD binds a wrapped DEK to its encryption context.
func localAD(ballot oponn.BallotID) []byte {
	ec := EncryptionContext(ballot)
	return appendPart(appendPart([]byte{1, localVersion}, ec["ballot"]), ec["purpose"])
}
