package keys

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// FuzzLocator reads receipts. Only what was written is one, in one spelling.
func FuzzLocator(f *testing.F) {
	key, _ := knownKey(f)
	made := key.Locator(oponn.VoterTag{1, 2, 3}, 7)
	for _, seed := range []string{made, "", made[:63], made + "A", strings.Repeat("A", 64), made[:62] + "\nA", strings.ToLower(made)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tag, revision, err := key.ReadLocator(text)
		if err == nil && key.Locator(tag, revision) != text {
			t.Errorf("%q is a receipt, but not the one of its vote", text)
		}
		if err != nil && oponn.CodeOf(err) != oponn.CodeNotFound {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzOpen opens what was not sealed, or was changed since.
func FuzzOpen(f *testing.F) {
	key, _ := knownKey(f)
	plain := []byte("a state of things")
	// Sealed once: every process of a run has to know the same.
	sealed, err := hex.DecodeString("011d08a4d72491ca02339cce674b9a0cf7a5ba555c850172d6a6c64c240b9ba375e3a1cfeae879a12a7cd0a3be32")
	if err != nil {
		f.Fatal(err)
	}
	if opened, err := key.Open(nil, sealed, oponn.FieldState, []byte{1}); err != nil || !bytes.Equal(opened, plain) {
		f.Fatalf("it opens as %q, %v", opened, err)
	}
	f.Add(sealed, []byte{1})
	f.Add(sealed, []byte{2})
	f.Add(sealed[:len(sealed)-1], []byte{1})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, text, binding []byte) {
		opened, err := key.Open(nil, text, oponn.FieldState, binding)
		if err == nil && (!bytes.Equal(text, sealed) || !bytes.Equal(binding, []byte{1}) || !bytes.Equal(opened, plain)) {
			t.Errorf("%x opens as %q", text, opened)
		}
		if _, err := key.Open(nil, text, oponn.FieldChoice, binding); err == nil {
			t.Errorf("%x opens as another field", text)
		}
	})
}

// FuzzFiles reads key files and what the KMS has wrapped.
func FuzzFiles(f *testing.F) {
	f.Add(kekFile.format())
	f.Add(secretFile.format())
	f.Add([]byte("# only a comment\n\n"))
	f.Add([]byte("oponn-kek-v1 AAAA\n"))
	f.Add([]byte{1, 0, 0, 0})
	f.Add([]byte{kmsAdopted, 2, 0, 0x30, 0x30, 0x30})
	f.Add([]byte{kmsAdopted, 0x82, 0, 0x30, 0x30, 0x30}) // its length takes a byte more than it needs
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []fileKind{kekFile, secretFile} {
			if secret, ok := kind.parse(text); ok != (len(secret) == fileSecretSize) {
				t.Errorf("%q has the secret %x, %v", text, secret, ok)
			}
		}
		if blob, err := readKMSBlob(oponn.BallotID{1}, text); err == nil && !bytes.Equal(blob.bytes(), text) {
			t.Errorf("%x is written %x", text, blob.bytes())
		}
	})
}
