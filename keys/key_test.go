package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// knownKey is the DEK 00 01 … 1f of the ballot ff ff … ff.
func knownKey(tb testing.TB) (*dataKey, derivation) {
	tb.Helper()
	var ballot oponn.BallotID
	for i := range ballot {
		ballot[i] = 0xff
	}
	dek := make([]byte, DEKSize)
	for i := range dek {
		dek[i] = byte(i)
	}
	d, err := derive(ballot, dek)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := newDataKey(ballot, d)
	if err != nil {
		tb.Fatal(err)
	}
	return key, d
}

// What is stored must open for ever: these values were worked out with other
// software (Python's hmac and cryptography).
func TestDataKey_FormatIsStable(t *testing.T) {
	key, d := knownKey(t)
	voter := oponn.VoterID{1, 2, 3}
	tag := key.VoterTag(voter)
	for what, pair := range map[string][2]string{
		"commitment":  {hex.EncodeToString(d.expand(labelCommitment)), "a7ea66a39f6981577532e740893949da2f7d5499d6cfe38ee9cb6f2dd272f9a9"},
		"voter tag":   {hex.EncodeToString(tag[:]), "db5c2558a152ac0b99b3b8fb12c3c8a2"},
		"write-in id": {string(key.WriteInID("mate")), "w-bbQgdL_u9Q"},
		"locator":     {key.Locator(tag, 258), "H9NIHSP__sdCECeSPz55BFyuPcMuOeJxFBUjogq8SNQ6ab31fiqd7o01qM79pUep"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %s, want %s", what, pair[0], pair[1])
		}
	}
	sealed, err := hex.DecodeString("01000102030405060708090a0bc8cbd07b77cf03e1b91a359ecff982828e784c12ee6d")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := key.Open(nil, sealed, oponn.FieldChoice, tag[:], []byte("id"))
	if err != nil || string(plain) != "choice" {
		t.Errorf("the sealed value opens to %q, %v", plain, err)
	}
}

func TestDataKey_SealOpens(t *testing.T) {
	key, _ := knownKey(t)
	rapid.Check(t, func(t *rapid.T) {
		var (
			text     = rapid.SliceOf(rapid.Byte()).Draw(t, "text")
			field    = oponn.Field(rapid.String().Draw(t, "field"))
			bindings = rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "bindings")
			dst      = rapid.SliceOf(rapid.Byte()).Draw(t, "dst")
		)
		sealed := key.Seal(nil, text, field, bindings...)
		if len(sealed) != len(text)+sealOverhead {
			t.Fatalf("%d bytes seal to %d", len(text), len(sealed))
		}
		got, err := key.Open(dst[:len(dst):len(dst)], sealed, field, bindings...)
		if err != nil || string(got) != string(dst)+string(text) {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

func TestDataKey_LocatorReads(t *testing.T) {
	key, _ := knownKey(t)
	rapid.Check(t, func(t *rapid.T) {
		tag := oponn.VoterTag(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "tag"))
		revision := rapid.Uint32().Draw(t, "revision")
		gotTag, got, err := key.ReadLocator(key.Locator(tag, revision))
		if err != nil || gotTag != tag || got != revision {
			t.Fatalf("got %v, %d, %v", gotTag, got, err)
		}
	})
}

func TestDataKey_AnyOtherLocatorIsNotFound(t *testing.T) {
	key, _ := knownKey(t)
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9_-]{64}`)).Draw(t, "locator")
		if _, _, err := key.ReadLocator(forged); oponn.CodeOf(err) != oponn.CodeNotFound {
			t.Fatalf("got %v, want CodeNotFound", err)
		}
	})
}

// The nonce is part of what is checked: a vote has one locator, also for who
// has the key.
func TestDataKey_ALocatorUnderAnotherNonceIsNotFound(t *testing.T) {
	key, _ := knownKey(t)
	nonce := make([]byte, locatorNonce)
	sealed := key.locator.Seal(nonce, nonce, make([]byte, locatorPlain), nil)
	_, _, err := key.ReadLocator(base64.RawURLEncoding.EncodeToString(sealed))
	wantCode(t, err, oponn.CodeNotFound)
}

func TestMAC_IsHMACWithAnyKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, sha256.BlockSize).Draw(t, "key")
		message := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "message")
		theirs := hmac.New(sha256.New, key)
		theirs.Write(message)
		if sum := newMAC(bytes.Clone(key)).sum(message); !hmac.Equal(sum[:], theirs.Sum(nil)) {
			t.Fatalf("the MAC of %x under %x is %x", message, key, sum)
		}
	})
}

func TestMAC_IsHMACHoweverOftenItWasUsed(t *testing.T) {
	m := newMAC([]byte("a key of the test"))
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		once := hmac.New(sha256.New, []byte("a key of the test"))
		once.Write(message)
		if sum := m.sum(message); !hmac.Equal(sum[:], once.Sum(nil)) {
			t.Fatal("the sum is not HMAC-SHA-256")
		}
	})
}
