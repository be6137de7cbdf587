package oponn

import (
	"bytes"
	"fmt"
)

// Recount folds a log of votes into the tally it should have led to. Feed it
// every vote in the order of positions, then compare. It keeps some 60 bytes
// for each voter. Not safe for concurrent use.
type Recount struct {
	ballot  *Ballot
	numbers map[OptionID]int
	counts  []uint64
	last    map[VoterTag]recounted
	before  LoggedVote
	wrong   []string
}

// recounted is what a voter's last vote was.
type recounted struct {
	revision uint32
	choice   string // encoded
}

// NewRecount begins a recount of a ballot with the given write-ins.
func NewRecount(b *Ballot, writeIns []WriteIn) *Recount {
	r := &Recount{ballot: b, numbers: make(map[OptionID]int, len(writeIns)), last: make(map[VoterTag]recounted),
		counts: make([]uint64, len(b.Definition.Labels)+len(writeIns))}
	for i, w := range writeIns {
		if w.Number != i+1 {
			r.wrong = append(r.wrong, fmt.Sprintf("write-in %d stands where %d was due", w.Number, i+1))
		}
		r.numbers[w.Option.ID] = i + 1
	}
	return r
}

// Add opens and counts the next vote of the log. It returns an error that says
// what is wrong with it.
func (r *Recount) Add(v LoggedVote) error {
	choice, err := r.ballot.OpenChoice(v)
	if err != nil {
		return err
	}
	if err := r.follows(v); err != nil {
		return err
	}
	d := &r.ballot.Definition
	if earlier, ok := r.last[v.Tag]; ok {
		past, err := decodeChoice(d, []byte(earlier.choice))
		if err != nil {
			return err
		}
		r.count(past, ^uint64(0))
	}
	r.count(choice, 1)
	r.last[v.Tag] = recounted{revision: v.Revision, choice: string(choice.appendTo(nil, d))}
	r.before = LoggedVote{Tag: v.Tag, Revision: v.Revision, Position: v.Position, Version: v.Version}
	return nil
}

// follows checks a vote's place in the log.
func (r *Recount) follows(v LoggedVote) error {
	switch {
	case v.Position != r.before.Position+1:
		return fmt.Errorf("position %d follows %d", v.Position, r.before.Position)
	case v.Version < r.before.Version:
		return fmt.Errorf("position %d is of version %d, the one before of %d", v.Position, v.Version, r.before.Version)
	case v.Version == r.before.Version && !r.orders(v):
		return fmt.Errorf("position %d breaks the order of tags within version %d", v.Position, v.Version)
	case v.Revision > 1 && !r.ballot.Definition.AllowChange, v.Revision > MaxChanges+1:
		return fmt.Errorf("position %d is revision %d of its voter, which the rules don't allow", v.Position, v.Revision)
	case v.Revision != r.last[v.Tag].revision+1:
		return fmt.Errorf("position %d is revision %d of its voter, after revision %d", v.Position, v.Revision, r.last[v.Tag].revision)
	}
	return nil
}

// orders says whether a vote comes after the one before it, of the same
// version: by tag and revision.
func (r *Recount) orders(v LoggedVote) bool {
	c := bytes.Compare(v.Tag[:], r.before.Tag[:])
	return c > 0 || c == 0 && v.Revision > r.before.Revision
}

// count adds one to all that is chosen, or takes one away: -1 in two's
// complement.
func (r *Recount) count(c Choice, one uint64) {
	c.given.each(func(i int) { r.counts[i] += one })
	_ = c.eachWriteIn(func(option Option) error {
		if n, ok := r.numbers[option.ID]; ok {
			r.counts[len(r.ballot.Definition.Labels)+n-1] += one
		} else {
			r.wrong = append(r.wrong, fmt.Sprintf("a vote is for the unknown write-in %s", option.ID))
		}
		return nil
	})
}

// CompareCodes returns what is wrong with the voters of a ballot that is
// protected by codes, whose tags are given: whoever votes there has a code.
// The tags must have been read after the log. Other ballots need no codes.
func (r *Recount) CompareCodes(codes []VoterTag) []string {
	if r.ballot.Definition.Protection != ProtectedByCodes {
		return nil
	}
	held := 0
	for _, code := range codes {
		if _, voted := r.last[code]; voted {
			held++
		}
	}
	if strangers := len(r.last) - held; strangers > 0 {
		return []string{fmt.Sprintf("voters without a code: %d of %d", strangers, len(r.last))}
	}
	return nil
}

// Compare returns what differs between the log and a head with its state;
// nothing when they agree.
func (r *Recount) Compare(head Head, state State) []string {
	differ := r.wrong
	check := func(what string, log, head uint64) {
		if log != head {
			differ = append(differ, fmt.Sprintf("%s: %d in the log, %d in the head", what, log, head))
		}
	}
	check("last position", r.before.Position, head.Position)
	check("voters", uint64(len(r.last)), head.Voters)
	check("voters of the tally", uint64(len(r.last)), state.Voters)
	check("write-ins", uint64(len(r.numbers)), uint64(head.WriteIns))
	check("revision of the definition", uint64(r.ballot.Definition.Revision), uint64(state.Definition))
	check("options counted", uint64(len(r.counts)), uint64(len(state.Counts)))
	for i := range min(len(r.counts), len(state.Counts)) {
		check(fmt.Sprintf("votes for option %d", i+1), r.counts[i], state.Counts[i])
	}
	if r.before.Version > head.Version {
		differ = append(differ, fmt.Sprintf("the log reaches version %d, the head is at %d", r.before.Version, head.Version))
	}
	return differ
}
