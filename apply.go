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

// Known is what somebody knows of a ballot before a transaction shows how it
// stands. The zero Known is nothing.
type Known struct {
	// Head is one with its State: when it is still the newest, it need not be
	// opened once more.
	Head  Head
	State State
	// WriteIns are the first ones, by number.
	WriteIns []WriteIn
}

// state opens a head's state, unless it is known.
func (k *Known) state(key Key, head Head) (State, error) {
	if k.Head.Version == head.Version && len(head.Sealed) > 0 && bytes.Equal(k.Head.Sealed, head.Sealed) {
		state := k.State
		state.Counts = slices.Clone(state.Counts)
		return state, nil
	}
	return OpenState(key, head)
}

// Applying returns the Apply of a batch: it lets the status follow the time,
// makes the change, and accepts what votes it can. votes must be the batch's.
//
// Votes are taken in their order; positions are given by voter tag, so that
// rows go into the store's index side by side and the log does not tell who
// came first within a batch.
func (b *Ballot) Applying(votes []Vote, change Change, known Known) Apply {
	return func(ground Ground) (Effect, error) {
		state, err := known.state(b.Key, ground.Head)
		if err != nil {
			return Effect{}, err
		}
		later, err := OpenWriteIns(b.Key, ground.WriteIns)
		if err != nil {
			return Effect{}, err
		}
		f := fold{ballot: b, ground: ground, state: state, writeIns: append(slices.Clone(known.WriteIns), later...),
			outcomes: make([]Outcome, 0, len(votes)), logged: make([]LoggedVote, 0, len(votes)), rows: make([]int, 0, len(votes)),
			taken: make(map[VoterTag]int, len(votes))}
		moved := f.state.Advance(ground.Now)
		moved = f.change(change) || moved
		for i := range votes {
			f.take(&votes[i], ground.Earlier[i])
		}
		if !moved && len(f.logged) == 0 {
			return Effect{Head: ground.Head, Outcomes: f.outcomes, State: state, WriteIns: later}, nil
		}
		return f.effect(len(known.WriteIns))
	}
}

// fold is one run of an Apply.
type fold struct {
	ballot   *Ballot
	ground   Ground
	state    State
	writeIns []WriteIn
	added    []WriteIn
	// outcomes has one for each vote, and rows where in logged its row is; -1
	// when this run made none.
	outcomes []Outcome
	rows     []int
	logged   []LoggedVote // in the order of the votes; positions come last
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
func (f *fold) take(vote *Vote, earlier []LoggedVote) {
	row := -1
	if i, ok := f.taken[vote.Tag]; ok {
		row, earlier = i, f.logged[i:i+1]
	}
	outcome := f.judge(vote, earlier)
	if outcome.Err == nil && !outcome.Repeat {
		row = len(f.logged)
		f.taken[vote.Tag] = row
		f.logged = append(f.logged, LoggedVote{Tag: vote.Tag, Revision: 1, ID: vote.ID,
			Version: f.ground.Head.Version + 1, At: microseconds(f.ground.Now), Sealed: vote.Sealed})
	}
	f.outcomes, f.rows = append(f.outcomes, outcome), append(f.rows, row)
}

// judge counts the vote, or says why it isn't.
func (f *fold) judge(vote *Vote, earlier []LoggedVote) Outcome {
	for i := range earlier {
		if earlier[i].ID == vote.ID {
			return f.repeat(vote, earlier[i])
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
	return Outcome{}
}

func (f *fold) repeat(vote *Vote, past LoggedVote) Outcome {
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
		n, err := f.room(c.writeIn)
		if err != nil {
			return err
		}
		f.state.Counts[len(f.ballot.Definition.Labels)+n-1]++
	}
	c.given.each(func(i int) { f.state.Counts[i]++ })
	return nil
}

// room returns a write-in's number, a new one if it is the first of its kind,
// and makes room for its count.
func (f *fold) room(option Option) (int, error) {
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

// number gives the new rows their positions, after the given one, and returns
// them in that order.
func (f *fold) number(position uint64) []LoggedVote {
	order := make([]int, len(f.logged))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(f.logged[a].Tag[:], f.logged[b].Tag[:]) })
	logged := make([]LoggedVote, len(order))
	for i, row := range order {
		f.logged[row].Position = position + uint64(i) + 1
		logged[i] = f.logged[row]
	}
	for i, row := range f.rows {
		if outcome := &f.outcomes[i]; row >= 0 && outcome.Err == nil {
			outcome.Logged = f.logged[row]
		}
	}
	return logged
}

// effect gives positions and seals the next head.
func (f *fold) effect(known int) (Effect, error) {
	head := f.ground.Head
	head.Version++
	logged := f.number(head.Position)
	head.Position += uint64(len(logged))
	head.Voters = f.state.Voters
	head.WriteIns = len(f.writeIns)
	var err error
	if head.Sealed, err = f.state.Seal(f.ballot.Key, head.Version); err != nil {
		return Effect{}, err
	}
	effect := Effect{Head: head, Logged: logged, Outcomes: f.outcomes, State: f.state, WriteIns: f.writeIns[known:]}
	for _, w := range f.added {
		effect.Added = append(effect.Added, sealWriteIn(f.ballot.Key, w))
	}
	return effect, nil
}
