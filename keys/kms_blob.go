package keys

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/oponn/oponn"
)

// How a blob of a KMSKEK begins. A DEK that KMS made is a ciphertext of KMS.
// One that was made elsewhere is adopted: sealed here under a data key that KMS
// made for it, whose ciphertext goes in front. KMS's Encrypt would be shorter,
// but is the one call that sends a plaintext DEK out of the process.
const (
	kmsMade    = 1
	kmsAdopted = 2
)

// labelKMSWrap is the info of HKDF for adopting. It is part of the stored format.
const labelKMSWrap = "oponn/kms-kek/v1/wrap"

// kmsCiphertextLimit is the longest ciphertext that KMS takes, in bytes.
const kmsCiphertextLimit = 6144

// kmsBlob is a wrapped key as a KMSKEK stores it.
type kmsBlob struct {
	ciphertext []byte // of KMS
	adopted    []byte // the DEK sealed under what ciphertext holds; nil where it holds the DEK
}

func (b kmsBlob) bytes() []byte {
	if b.adopted == nil {
		return append([]byte{kmsMade}, b.ciphertext...)
	}
	return append(appendPart([]byte{kmsAdopted}, b.ciphertext), b.adopted...)
}

// readKMSBlob takes a blob apart. Its parts are those of the argument. There is
// one blob for each two parts: bytes gives back what was read.
func readKMSBlob(ballot oponn.BallotID, blob []byte) (kmsBlob, error) {
	var b kmsBlob
	switch {
	case len(blob) > 1 && blob[0] == kmsMade:
		b.ciphertext = blob[1:]
	case len(blob) > 1 && blob[0] == kmsAdopted:
		size, n := binary.Uvarint(blob[1:])
		rest := blob[1+max(n, 0):]
		if n <= 0 || size == 0 || size >= uint64(len(rest)) {
			return b, refused("ballot %s: its wrapped data key is cut", ballot)
		}
		b.ciphertext, b.adopted = rest[:size], rest[size:]
		if !bytes.Equal(b.bytes(), blob) { // a length in more bytes than it needs
			return b, refused("ballot %s: its wrapped data key is written as no KMSKEK writes it", ballot)
		}
	default:
		return b, refused("ballot %s: its wrapped data key has an unknown format", ballot)
	}
	if len(b.ciphertext) > kmsCiphertextLimit {
		return b, refused("ballot %s: its wrapped data key has %d bytes", ballot, len(blob))
	}
	return b, nil
}

// open returns the adopted DEK, given the data key that it is sealed under.
func (b kmsBlob) open(ballot oponn.BallotID, wrapping []byte) ([]byte, error) {
	aead, err := adoptingAEAD(wrapping)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, b.adopted, kmsAD(ballot))
	if err != nil {
		return nil, refused("ballot %s: its wrapped data key does not open: %w", ballot, err)
	}
	return plain, nil
}

// Wrap takes over a DEK that another KEK made. The DEK stays in this process.
func (k *KMSKEK) Wrap(ctx context.Context, ballot oponn.BallotID, plain []byte) ([]byte, error) {
	wrapping, ciphertext, err := k.generate(ctx, ballot)
	defer clear(wrapping)
	if err != nil {
		return nil, err
	}
	aead, err := adoptingAEAD(wrapping)
	if err != nil {
		return nil, err
	}
	return kmsBlob{ciphertext, aead.Seal(nil, nil, plain, kmsAD(ballot))}.bytes(), nil
}

// Rewraps tells whether KMS itself can re-encrypt from another key to this one:
// it has to be a KMS key of the same region.
func (k *KMSKEK) Rewraps(from KEK) bool {
	f, ok := from.(*KMSKEK)
	return ok && f.region == k.region && f.endpoint == k.endpoint
}

// Rewrap lets KMS re-encrypt a blob of the key whose ARN is fromID under this
// key. Nobody but KMS sees what is in it.
func (k *KMSKEK) Rewrap(ctx context.Context, ballot oponn.BallotID, fromID string, blob []byte) ([]byte, error) {
	b, err := readKMSBlob(ballot, blob)
	if err != nil {
		return nil, err
	}
	out, err := call(ctx, k.calls, opReEncrypt, ballot.String(), k.calls.api.ReEncrypt, &kms.ReEncryptInput{
		CiphertextBlob: b.ciphertext,
		SourceKeyId:    &fromID, SourceEncryptionContext: EncryptionContext(ballot),
		DestinationKeyId: &k.arn, DestinationEncryptionContext: EncryptionContext(ballot),
	})
	if err != nil {
		return nil, err
	}
	b.ciphertext = out.CiphertextBlob
	return b.bytes(), nil
}

// adoptingAEAD is AES-256-GCM under a subkey of a data key of KMS. It seals once.
func adoptingAEAD(wrapping []byte) (cipher.AEAD, error) {
	subkey, err := hkdf.Key(sha256.New, wrapping, nil, labelKMSWrap, subkeySize)
	if err != nil {
		return nil, refused("HKDF: %w", err)
	}
	return newAEAD(subkey, cipher.NewGCMWithRandomNonce)
}

// kmsAD binds an adopted DEK to its encryption context.
func kmsAD(ballot oponn.BallotID) []byte {
	ec := EncryptionContext(ballot)
	return appendPart(appendPart([]byte{1, kmsAdopted}, ec["ballot"]), ec["purpose"])
}
