package historytest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Log is what was kept of a ballot.
type Log struct {
	// Head is the version that the ballot has come to.
	Head uint64
	// Changes is how often a voter may change their vote; 0 where the first one
	// stands.
	Changes int
	Rows    []Row
}

// Row is a vote in a log.
type Row struct {
	Position, Version uint64
	// ID is the vote's.
	ID string
}

// Check returns how the history breaks its promises, given every ballot's log
// at the end; nothing when it keeps them all.
func (h *History) Check(logs map[string]Log) (broken []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	attempts, turns, reads := map[string][]attempt{}, map[string][]turn{}, map[string][]Read{}
	for _, a := range h.casts {
		attempts[a.vote.Ballot] = append(attempts[a.vote.Ballot], a)
	}
	for _, t := range h.turns {
		turns[t.ballot] = append(turns[t.ballot], t)
	}
	for _, r := range h.reads {
		reads[r.Ballot] = append(reads[r.Ballot], r)
	}
	for ballot, log := range logs {
		c := check{ballot: ballot, log: log, votes: map[string]*voteOf{}, kept: map[string][]string{}}
		c.gather(attempts[ballot])
		c.rows()
		c.fates()
		c.order()
		c.voters(attempts[ballot])
		c.status(attempts[ballot], turns[ballot])
		c.reads(reads[ballot])
		broken = append(broken, c.broken...)
	}
	return broken
}

// check is that of one ballot.
type check struct {
	ballot string
	log    Log
	votes  map[string]*voteOf  // by id
	kept   map[string][]string // by voter: the ids in the log, in its order
	broken []string
}

// voteOf is all that is known of one vote.
type voteOf struct {
	Vote
	sent     time.Duration // first
	accepted time.Duration // first; math.MaxInt64 for never
	answer   Answer        // the first that accepts
	open     bool          // some attempt is unknown
	unsure   bool          // as to what was chosen
	row      *Row
}

func (c *check) report(format string, args ...any) {
	c.broken = append(c.broken, "ballot "+c.ballot+": "+fmt.Sprintf(format, args...))
}

// gather puts the attempts of each vote together.
func (c *check) gather(attempts []attempt) {
	for _, a := range attempts {
		v := c.votes[a.vote.ID]
		if v == nil {
			v = &voteOf{Vote: a.vote, sent: a.sent, accepted: math.MaxInt64}
			c.votes[a.vote.ID] = v
		}
		v.sent = min(v.sent, a.sent)
		v.unsure = v.unsure || v.answer.Fate != Accepted && a.vote.Choice != v.Choice
		switch {
		case a.answer.Fate == Unknown:
			v.open = true
		case a.answer.Fate == Accepted && a.answered < v.accepted:
			// The one that was sent with another choice is not the one that counts.
			v.accepted, v.answer, v.Vote, v.unsure = a.answered, a.answer, a.vote, false
		}
	}
}

// rows wants a log of positions without gaps, of votes that somebody cast, once
// each, and no more of a voter than the rules allow.
func (c *check) rows() {
	slices.SortFunc(c.log.Rows, func(a, b Row) int { return cmp.Compare(a.Position, b.Position) })
	version := uint64(1)
	for i := range c.log.Rows {
		row := &c.log.Rows[i]
		if row.Position != uint64(i)+1 {
			c.report("row %d has position %d", i+1, row.Position)
		}
		if row.Version < version || row.Version > c.log.Head {
			c.report("position %d has version %d after %d, the head has %d", row.Position, row.Version, version, c.log.Head)
		}
		version = row.Version
		v := c.votes[row.ID]
		if v == nil {
			c.report("counted a vote %s that nobody cast", row.ID)
			continue
		}
		if v.row != nil || len(c.kept[v.Voter]) > c.log.Changes {
			c.report("counted twice: voter %s, with %q and %s", v.Voter, c.kept[v.Voter], row.ID)
		}
		v.row, c.kept[v.Voter] = row, append(c.kept[v.Voter], row.ID)
	}
}

// fates wants in the log what was accepted, and not what was not.
func (c *check) fates() {
	for id, v := range c.votes {
		switch {
		case v.answer.Fate == Accepted && v.row == nil:
			c.report("lost: vote %s was acknowledged with version %d", id, v.answer.Version)
		case v.answer.Fate == Accepted && v.row.Version != v.answer.Version:
			c.report("vote %s was acknowledged with version %d and has %d", id, v.answer.Version, v.row.Version)
		case v.answer.Fate != Accepted && !v.open && v.row != nil:
			c.report("vote %s counts, although its voter was told that it doesn't", id)
		}
	}
}

// order wants before each row none that was only sent after that had been
// acknowledged.
func (c *check) order() {
	earliest := time.Duration(math.MaxInt64)
	for _, row := range slices.Backward(c.log.Rows) {
		v := c.votes[row.ID]
		if v == nil {
			continue
		}
		if v.sent > earliest {
			c.report("position %d was sent after a later one had been acknowledged", row.Position)
		}
		earliest = min(earliest, v.accepted)
	}
}

// voters wants every voter's history linearizable.
func (c *check) voters(attempts []attempt) {
	voters := map[string][]attempt{}
	for _, a := range attempts {
		voters[a.vote.Voter] = append(voters[a.vote.Voter], a)
	}
	for voter, own := range voters {
		if !linearizable(own, c.log.Changes, c.kept[voter]) {
			c.report("not linearizable: voter %s, with %q in the log: %+v", voter, c.kept[voter], own)
		}
	}
}
