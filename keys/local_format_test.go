package keys

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/oponn/oponn"
)

// What a key file wrapped must unwrap for ever: see TestDataKey_FormatIsStable.
func TestLocalKEK_FormatIsStable(t *testing.T) {
	local, err := newLocalKEK(bytes.Repeat([]byte{0x5a}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if want := "local:b04e78b920d102f7"; local.ID() != want {
		t.Errorf("got the id %s, want %s", local.ID(), want)
	}
	blob, err := hex.DecodeString("01000102030405060708090a0b1ad6276549799a6f56c7b1a106d4a76a88749e3ea1b74ee31b62f8cb794690c390e6e528c27e48ef33ccd5c4cbfcc3da")
	if err != nil {
		t.Fatal(err)
	}
	key, d := knownKey(t)
	commitment := d.expand(labelCommitment)
	wrapped := oponn.WrappedKey{KEK: local.ID(), Blob: blob, Commitment: commitment}
	opened, err := NewRing(local).Open(t.Context(), key.ballot, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if voter := oponn.NewVoterID(); opened.VoterTag(voter) != key.VoterTag(voter) {
		t.Error("the wrapped key is another one")
	}
}
