package kmstest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const account = "000000000000"

// The states of a key.
const (
	enabled         = "Enabled"
	disabled        = "Disabled"
	pendingDeletion = "PendingDeletion"
)

// key is a symmetric KMS key. Rotating it adds material; old ciphertexts open
// with the material that they name.
type key struct {
	id, state, description string
	created, deletion      time.Time
	rotating               bool
	material               []cipher.AEAD
}

func newKey(description string) *key {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	h := hex.EncodeToString(id[:])
	k := &key{
		id:    strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"),
		state: enabled, description: description, created: time.Now(),
	}
	k.renew()
	return k
}

func (k *key) arn() string { return "arn:aws:kms:" + Region + ":" + account + ":key/" + k.id }

func (k *key) renew() {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	k.material = append(k.material, aead)
}

// ciphertextVersion begins every ciphertext. Then come the key's id, the number
// of its material (4 bytes), and what was sealed.
const ciphertextVersion = 1

const (
	idSize     = 36
	headerSize = 1 + idSize + 4
)

func (k *key) encrypt(plaintext []byte, context map[string]string) []byte {
	newest := len(k.material) - 1
	header := append([]byte{ciphertextVersion}, k.id...)
	header = binary.BigEndian.AppendUint32(header, uint32(newest))
	return k.material[newest].Seal(header, nil, plaintext, associated(header, context))
}

// ciphertextKey returns the id of the key that a ciphertext names.
func ciphertextKey(ciphertext []byte) (id string, ok bool) {
	if len(ciphertext) < headerSize || ciphertext[0] != ciphertextVersion {
		return "", false
	}
	return string(ciphertext[1 : 1+idSize]), true
}

func (k *key) decrypt(ciphertext []byte, context map[string]string) (plaintext []byte, ok bool) {
	header := bytes.Clone(ciphertext[:headerSize])
	n := int(binary.BigEndian.Uint32(header[1+idSize:]))
	if n >= len(k.material) {
		return nil, false
	}
	plaintext, err := k.material[n].Open(nil, nil, ciphertext[headerSize:], associated(header, context))
	return plaintext, err == nil
}

// associated is the header and the encryption context, in the order of its keys.
func associated(header []byte, context map[string]string) []byte {
	ad := bytes.Clone(header)
	for _, name := range slices.Sorted(maps.Keys(context)) {
		ad = fmt.Appendf(ad, "%q=%q\n", name, context[name])
	}
	return ad
}

// CreateKey makes a key with any number of aliases ("alias/…") and returns its
// ARN. An alias that another key has moves.
func (s *Server) CreateKey(aliases ...string) string {
	k := newKey("made by a test")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.id] = k
	for _, alias := range aliases {
		s.aliases[alias] = k.id
	}
	return k.arn()
}

// Disable makes a key unusable until Enable.
func (s *Server) Disable(keyID string) { s.change(keyID, func(k *key) { k.state = disabled }) }

// Enable makes a key usable, also one that was to be deleted.
func (s *Server) Enable(keyID string) {
	s.change(keyID, func(k *key) { k.state, k.deletion = enabled, time.Time{} })
}

// ScheduleDeletion makes a key one that KMS will delete in 7 days.
func (s *Server) ScheduleDeletion(keyID string) {
	s.change(keyID, func(k *key) { k.scheduleDeletion(7) })
}

// Delete removes a key and its aliases at once.
func (s *Server) Delete(keyID string) {
	s.change(keyID, func(k *key) {
		delete(s.keys, k.id)
		maps.DeleteFunc(s.aliases, func(_, id string) bool { return id == k.id })
	})
}

// Rotate gives a key new material, as KMS does every year.
func (s *Server) Rotate(keyID string) { s.change(keyID, (*key).renew) }

func (k *key) scheduleDeletion(days int) {
	k.state, k.deletion = pendingDeletion, time.Now().AddDate(0, 0, days)
}

// change panics when there is no such key: a mistake of the test.
func (s *Server) change(keyID string, change func(*key)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(keyID)
	if k == nil {
		panic("kmstest: no key " + keyID)
	}
	change(k)
}

// find returns the key by alias, id or ARN of either, or nil. The caller holds mu.
func (s *Server) find(keyID string) *key {
	name := strings.TrimPrefix(keyID, "arn:aws:kms:"+Region+":"+account+":")
	if id, ok := s.aliases[name]; ok {
		return s.keys[id]
	}
	return s.keys[strings.TrimPrefix(name, "key/")]
}
