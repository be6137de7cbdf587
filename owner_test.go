package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestOwns_KnowsItsOwnersKeyOnly(t *testing.T) {
	key, hash := oponn.NewOwnerKey()
	other, _ := oponn.NewOwnerKey()
	b := oponn.Ballot{OwnerKey: hash}
	if len(key) != 43 {
		t.Errorf("a key of %d characters, want 256 bits in 43", len(key))
	}
	if !b.Owns(key) {
		t.Error("the owner's key is refused")
	}
	for _, wrong := range []string{"", other, key[:42], key + "=", string(hash[:])} {
		if b.Owns(wrong) {
			t.Errorf("%q is taken for the owner's key", wrong)
		}
	}
}

func TestOwnerID_HashFindsNobodyForNobody(t *testing.T) {
	if (oponn.OwnerID{}).Hash() != [32]byte{} {
		t.Error("nobody has a hash")
	}
	first, again := oponn.OwnerID{1}.Hash(), oponn.OwnerID{1}.Hash()
	if first != again || first == [32]byte{} || first == (oponn.OwnerID{2}).Hash() {
		t.Error("an owner's hash is not their own")
	}
}
