package oponn

import (
	"encoding/binary"
	"math/rand/v2"
)

// Order returns the indexes of the options that the owner gave, in the order
// in which a form shows them to a voter: that of the definition or, where
// options are shuffled, one of the voter's own, always the same.
func (b *Ballot) Order(voter VoterID) []int {
	order := make([]int, len(b.Definition.Labels))
	for i := range order {
		order[i] = i
	}
	if b.Definition.ShuffleOptions {
		// The tag is as good as random, and another on every ballot.
		tag := b.Key.VoterTag(voter)
		chance := rand.New(rand.NewPCG(binary.BigEndian.Uint64(tag[:8]), binary.BigEndian.Uint64(tag[8:]))) //nolint:gosec // an order, no secret
		chance.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}
