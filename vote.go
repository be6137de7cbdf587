package oponn

import (
	"sync"
	"time"
)

// Vote is one voter's checked choice, sealed and ready for a transaction.
type Vote struct {
	Tag    VoterTag
	ID     VoteID
	Choice Choice
	Sealed []byte
}

// Prepare seals a choice as the vote of the given voter.
func (b *Ballot) Prepare(voter VoterID, id VoteID, c Choice) Vote {
	s := sealings.Get().(*sealing)
	defer sealings.Put(s)
	s.tag, s.id = b.Key.VoterTag(voter), id
	plain := c.appendTo(s.plain[:0], &b.Definition)
	return Vote{Tag: s.tag, ID: id, Choice: c, Sealed: b.Key.Seal(nil, plain, FieldChoice, s.bindings[:]...)}
}

// sealing is where a vote is put together. What is handed to a Key moves to the
// heap: four allocations for each vote, if it weren't kept.
type sealing struct {
	tag      VoterTag
	id       VoteID
	plain    [choiceSize]byte
	bindings [2][]byte // tag and id
}

var sealings = sync.Pool{New: func() any {
	s := new(sealing)
	s.bindings = [2][]byte{s.tag[:], s.id[:]}
	return s
}}

// LoggedVote is one row of the log: a vote that was accepted. The log keeps
// every revision; the tally counts each voter's last.
type LoggedVote struct {
	Tag VoterTag
	// Revision counts a voter's votes on the ballot from 1.
	Revision uint32
	ID       VoteID
	// Position counts the ballot's accepted votes from 1, without gaps: a
	// total order.
	Position uint64
	// Version is the head's version that made the vote visible.
	Version uint64
	// At is the store's time of the transaction, in whole microseconds.
	At     time.Time
	Sealed []byte
}

// Outcome is what became of one vote of a batch: a row of the log, new or
// repeated, or an error. The errors are CodeNotOpen, CodeClosed,
// CodeAlreadyVoted, CodeVoteIDReused, CodeCodeRefused and, when the ballot has no room for one
// more write-in, CodeInvalid.
type Outcome struct {
	Logged LoggedVote
	// Repeat says that the vote had been accepted before.
	Repeat bool
	Err    error
}

// Receipt is what a voter gets for an accepted vote.
type Receipt struct {
	VoteID VoteID
	// Locator finds the vote again without telling whose it is or what it
	// chose; see Key.Locator.
	Locator string
	Version uint64
	At      time.Time
	// Repeat says that this receipt was given before.
	Repeat bool
	// Replaces is the locator of the vote that this one took the place of;
	// empty for a voter's first.
	Replaces string
}

// Receipt returns the receipt of a logged vote.
func (b *Ballot) Receipt(v LoggedVote, repeat bool) Receipt {
	r := Receipt{VoteID: v.ID, Locator: b.Key.Locator(v.Tag, v.Revision), Version: v.Version, At: v.At, Repeat: repeat}
	if v.Revision > 1 {
		r.Replaces = b.Key.Locator(v.Tag, v.Revision-1)
	}
	return r
}

// Counting says whether a vote counts. It tells no more than that: beside a
// recorded stream, its version or time would tell what was chosen.
type Counting struct {
	// Counted says that it does; else another vote of the same voter has
	// replaced it.
	Counted bool
	// AsOf is the head's version that was asked.
	AsOf uint64
	// Hour is when the vote was cast, cut to the hour, in UTC.
	Hour time.Time
}

// Counting finds the vote of a receipt among all that its voter has in the
// log. A receipt of nothing is CodeNotFound.
func (b *Ballot) Counting(revision uint32, votes []LoggedVote, asOf uint64) (Counting, error) {
	for i, v := range votes {
		if v.Revision == revision {
			return Counting{Counted: i == len(votes)-1, AsOf: asOf, Hour: v.At.UTC().Truncate(time.Hour)}, nil
		}
	}
	return Counting{}, Errorf(CodeNotFound, "There is no such receipt.")
}
