package oponn

import (
	"bytes"
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
		f := fold{ballot: b, ground: ground, state: state, writeIns: append(slices.Clone(known), later...)}
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
