//go:build !race

// Under the race detector sync.Pool drops what it holds at random, so that
// there is nothing to count.

package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

// plainKey seals without a key, and allocates nothing but what it returns.
type plainKey struct{ oponn.Key }

func (plainKey) VoterTag(voter oponn.VoterID) oponn.VoterTag { return oponn.VoterTag(voter) }

func (plainKey) Seal(dst, plaintext []byte, _ oponn.Field, _ ...[]byte) []byte {
	return append(dst, plaintext...)
}

func TestPrepare_HotPathAllocatesTheSealedVote(t *testing.T) {
	b := &oponn.Ballot{Definition: oponn.Definition{Question: "Lunch?", Labels: numbered(4), AllowWriteIn: true}, Key: plainKey{}}
	ids := []oponn.OptionID{"2"}
	choice, err := b.Choose(ids, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = b.Choose(ids, "", nil) }); n != 0 {
		t.Errorf("choosing allocates %v times, want 0", n)
	}
	if n := testing.AllocsPerRun(1000, func() { b.Prepare(oponn.VoterID{1}, oponn.VoteID{2}, choice) }); n != 1 {
		t.Errorf("preparing allocates %v times, want 1", n)
	}
}
