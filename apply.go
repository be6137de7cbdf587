package oponn

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// Change is what an owner wants different; zero fields stay as they are.
type Change struct {
	// Status may be Closed: the ballot closes now.
	Status Status
}

// Applying returns the Apply of a batch: it lets the status follow the time,
// makes the change, and accepts what votes it can. known are the write-ins
// that the caller knows, by number; votes must be the batch's.
//
// Votes are taken in their order; positions are given by voter tag, so that
// rows go into the store's index side by side and the log does not tell who
// came first within a batch.
func (b *Ballot) Applying(votes []Vote, change Change, known []WriteIn) Apply {
	return func(ground Ground) (Effect, error) {
		state, err := OpenState(b.Key, ground.Head)
		if err != nil {
			return Effect{}, err
		}
		later, err := OpenWriteIns(b.Key, ground.WriteIns)
		if err != nil {
			return Effect{}, err
		}
		f := fold{ballot: b, ground: ground, state: state.clone(), writeIns: append(slices.Clone(known), later...)}
		moved := f.state.Advance(ground.Now)
		moved = f.change(change) || moved
		outcomes := make([]Outcome, len(votes))
		for i, vote := range votes {
			outcomes[i] = f.take(vote, ground.Earlier[i])
		}
		if !moved && len(f.logged) == 0 {
			return Effect{Head: ground.Head, Outcomes: outcomes, State: state, WriteIns: later}, nil
		}
		return f.effect(outcomes, len(known))
	}
}

// fold is one run of an Apply.
type fold struct {
	ballot   *Ballot
	ground   Ground
	state    State
	writeIns []WriteIn
	added    []WriteIn
	logged   []LoggedVote
	// taken finds what this run accepted, for a voter who comes twice.
	taken map[VoterTag]int
}

func (f *fold) change(change Change) bool {
	if change.Status != Closed || f.state.Status == Closed {
		return false
	}
	f.state.Status, f.state.ClosedAt = Closed, microseconds(f.ground.Now)
	return true
}

// take decides about one vote. What a voter has in the log comes first: a
// repeat gets its receipt also after closing.
func (f *fold) take(vote Vote, earlier []LoggedVote) Outcome {
	if i, ok := f.taken[vote.Tag]; ok {
		earlier = f.logged[i : i+1]
	}
	for _, past := range earlier {
		if past.ID == vote.ID {
			return f.repeat(vote, past)
		}
	}
	if len(earlier) > 0 {
		return Outcome{Err: Errorf(CodeAlreadyVoted, "You have already voted here. Your first vote stands.")}
	}
	if err := f.state.admits(); err != nil {
		return Outcome{Err: err}
	}
	if err := f.count(vote.Choice); err != nil {
		return Outcome{Err: err}
	}
	f.state.Voters++
	if f.taken == nil {
		f.taken = make(map[VoterTag]int)
	}
	f.taken[vote.Tag] = len(f.logged)
	f.logged = append(f.logged, LoggedVote{Tag: vote.Tag, Revision: 1, ID: vote.ID,
		Version: f.ground.Head.Version + 1, At: microseconds(f.ground.Now), Sealed: vote.Sealed})
	return Outcome{Logged: f.logged[len(f.logged)-1]}
}

func (f *fold) repeat(vote Vote, past LoggedVote) Outcome {
	choice, err := f.ballot.OpenChoice(past)
	if err != nil {
		return Outcome{Err: err}
	}
	if !choice.Equal(vote.Choice) {
		return Outcome{Err: Errorf(CodeVoteIDReused, "This vote was already sent with another choice. Your first vote stands.")}
	}
	return Outcome{Logged: past, Repeat: true}
}

// count adds a choice to the tally, and a new write-in to the options.
func (f *fold) count(c Choice) error {
	if c.writeIn.ID != "" {
		n, err := f.number(c.writeIn)
		if err != nil {
			return err
		}
		f.state.Counts[len(f.ballot.Definition.Labels)+n-1]++
	}
	for i, chosen := range c.given {
		if chosen {
			f.state.Counts[i]++
		}
	}
	return nil
}

// number returns a write-in's number, a new one if it is the first of its
// kind, and makes room for its count.
func (f *fold) number(option Option) (int, error) {
	for _, w := range f.writeIns {
		if w.Option.ID == option.ID {
			return w.Number, nil
		}
	}
	n := len(f.writeIns) + 1
	if n > MaxWriteIns {
		return 0, Invalid(FieldError{Field: "write_in", Code: "too_many",
			Message: "This ballot has no room for another option of your own. Please choose one that is there."})
	}
	w := WriteIn{Number: n, Option: option}
	f.writeIns, f.added = append(f.writeIns, w), append(f.added, w)
	f.state.Counts = append(f.state.Counts, 0)
	return n, nil
}

// effect gives positions and seals the next head.
func (f *fold) effect(outcomes []Outcome, known int) (Effect, error) {
	head := f.ground.Head
	head.Version++
	slices.SortFunc(f.logged, func(a, b LoggedVote) int { return bytes.Compare(a.Tag[:], b.Tag[:]) })
	positions := make(map[VoterTag]uint64, len(f.logged))
	for i := range f.logged {
		head.Position++
		f.logged[i].Position = head.Position
		positions[f.logged[i].Tag] = head.Position
	}
	for i := range outcomes {
		if v := &outcomes[i].Logged; v.Version == head.Version {
			v.Position = positions[v.Tag]
		}
	}
	head.Voters = f.state.Voters
	head.WriteIns = len(f.writeIns)
	var err error
	if head.Sealed, err = f.state.Seal(f.ballot.Key, head.Version); err != nil {
		return Effect{}, err
	}
	effect := Effect{Head: head, Logged: f.logged, Outcomes: outcomes, State: f.state, WriteIns: f.writeIns[known:]}
	for _, w := range f.added {
		effect.Added = append(effect.Added, sealWriteIn(f.ballot.Key, w))
	}
	return effect, nil
}

// Recount folds a log of votes into the state it should have led to. Feed it
// every vote in the order of positions, then compare. Not safe for concurrent
// use.
type Recount struct {
	ballot   *Ballot
	writeIns map[OptionID]int
	last     map[VoterTag]recounted
	position uint64
	version  uint64
}

type recounted struct {
	revision uint32
	choice   Choice
}

// NewRecount begins a recount of a ballot with the given write-ins.
func NewRecount(b *Ballot, writeIns []WriteIn) *Recount {
	r := &Recount{ballot: b, writeIns: make(map[OptionID]int, len(writeIns)), last: make(map[VoterTag]recounted)}
	for _, w := range writeIns {
		r.writeIns[w.Option.ID] = w.Number
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
	before := r.last[v.Tag]
	switch {
	case v.Position != r.position+1:
		return fmt.Errorf("position %d follows %d", v.Position, r.position)
	case v.Version < r.version:
		return fmt.Errorf("position %d is of version %d, the one before of %d", v.Position, v.Version, r.version)
	case v.Revision != before.revision+1:
		return fmt.Errorf("position %d is revision %d of its voter, after revision %d", v.Position, v.Revision, before.revision)
	}
	r.position, r.version = v.Position, v.Version
	r.last[v.Tag] = recounted{revision: v.Revision, choice: choice}
	return nil
}

// Compare returns what differs between the log and a head with its state;
// nothing when they agree.
func (r *Recount) Compare(head Head, state State) []string {
	given := len(r.ballot.Definition.Labels)
	counts := make([]uint64, given+len(r.writeIns))
	var differ []string
	for voter := range maps.Values(r.last) {
		for i, chosen := range voter.choice.given {
			if chosen {
				counts[i]++
			}
		}
		if id := voter.choice.writeIn.ID; id != "" {
			if n, ok := r.writeIns[id]; ok {
				counts[given+n-1]++
			} else {
				differ = append(differ, fmt.Sprintf("a vote is for the unknown write-in %s", id))
			}
		}
	}
	check := func(what string, log, head uint64) {
		if log != head {
			differ = append(differ, fmt.Sprintf("%s: %d in the log, %d in the head", what, log, head))
		}
	}
	check("last position", r.position, head.Position)
	check("voters", uint64(len(r.last)), head.Voters)
	check("voters of the tally", uint64(len(r.last)), state.Voters)
	check("options counted", uint64(len(counts)), uint64(len(state.Counts)))
	for i := range min(len(counts), len(state.Counts)) {
		check(fmt.Sprintf("votes for option %d", i+1), counts[i], state.Counts[i])
	}
	if r.version > head.Version {
		differ = append(differ, fmt.Sprintf("the log reaches version %d, the head is at %d", r.version, head.Version))
	}
	return differ
}
