//go:build !race

package http

import "testing"

// TestHotPath_Vote is from the bytes of a vote to those of its answer, without
// the actors.
func TestHotPath_Vote(t *testing.T) {
	if n := testing.AllocsPerRun(1000, fastVotes(t)); n > 13 {
		t.Errorf("a vote takes %v allocations", n)
	}
}

// TestHotPath_LaterVote is that for one that is answered later.
func TestHotPath_LaterVote(t *testing.T) {
	if n := testing.AllocsPerRun(1000, laterVotes(t)); n > 13 {
		t.Errorf("a vote takes %v allocations", n)
	}
}
