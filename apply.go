package oponn

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

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
// Votes are taken in their order; positions are given by voter tag and
// revision, so that rows go into the store's index side by side and the log does not tell who
// came first within a batch.
func (b *Ballot) Applying(votes []Vote, change Change, known Known) Apply {
	var asked *Change // nearly always there is none
	if change.Delete || change.some() {
		asked = new(change)
	}
	return func(ground Ground) (Effect, error) {
		if asked != nil && asked.Delete {
			return bury(ground, len(votes)), nil
		}
		state, err := known.state(b.Key, ground.Head)
		if err != nil {
			return Effect{}, err
		}
		if state.Definition != b.Definition.Revision {
			return Effect{}, Retryable(CodeBusy, time.Second, ErrStale, "This ballot has just been changed. Please look at it again.")
		}
		later, err := OpenWriteIns(b.Key, ground.WriteIns)
		if err != nil {
			return Effect{}, err
		}
		f := fold{ballot: b, ground: ground, state: state, writeIns: append(slices.Clone(known.WriteIns), later...),
			outcomes: make([]Outcome, 0, len(votes)), logged: make([]LoggedVote, 0, len(votes)), rows: make([]int, 0, len(votes))}
		if len(votes) > few {
			f.taken = make(map[VoterTag]int, len(votes))
		}
		moved := f.state.Advance(ground.Now)
		if asked != nil {
			moved = f.change(asked) || moved
		}
		if f.edited != nil && len(votes) > 0 {
			return Effect{}, Internal(errors.New("a batch edits the definition that its votes are made for"))
		}
		for i := range votes {
			f.take(i, &votes[i])
		}
		if !moved && len(f.logged) == 0 {
			return Effect{Head: ground.Head, Outcomes: f.outcomes, Refused: f.refused, State: state, WriteIns: later}, nil
		}
		return f.effect(len(known.WriteIns))
	}
}

// few is how many votes of a run are looked through sooner than found in a map.
const few = 16

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
	// taken finds what this run accepted, for a voter who comes twice; nil in a
	// run of few votes, which are as quickly looked through.
	taken map[VoterTag]int
	// refused says why the change was not made; edited is the next definition,
	// and revived says that the change moved something.
	refused error
	edited  *Definition
	revived bool
}

// take decides about one vote. What a voter has in the log comes first: a
// repeat gets its receipt also after closing.
func (f *fold) take(i int, vote *Vote) {
	row, earlier := -1, f.ground.Earlier[i]
	if last := f.last(vote.Tag); last >= 0 {
		row, earlier = last, f.withRun(earlier, vote.Tag, last)
	}
	outcome := f.judge(i, vote, earlier)
	switch {
	case outcome.Err == nil && !outcome.Repeat:
		row = len(f.logged)
		if f.taken != nil {
			f.taken[vote.Tag] = row
		}
		f.logged = append(f.logged, LoggedVote{Tag: vote.Tag, Revision: uint32(len(earlier)) + 1, ID: vote.ID,
			Version: f.ground.Head.Version + 1, At: microseconds(f.ground.Now), Sealed: vote.Sealed})
	case outcome.Repeat && row >= 0:
		row = f.rowOf(outcome.Logged)
	}
	f.outcomes, f.rows = append(f.outcomes, outcome), append(f.rows, row)
}

// last returns the row of what this run last accepted from a voter; -1 for
// nothing.
func (f *fold) last(tag VoterTag) int {
	if f.taken != nil {
		if row, ok := f.taken[tag]; ok {
			return row
		}
		return -1
	}
	for row := len(f.logged) - 1; row >= 0; row-- {
		if f.logged[row].Tag == tag {
			return row
		}
	}
	return -1
}

// withRun returns what a voter has in the log and in this run, whose last row
// is known.
func (f *fold) withRun(earlier []LoggedVote, tag VoterTag, last int) []LoggedVote {
	if len(earlier) == 0 && f.logged[last].Revision == 1 {
		return f.logged[last : last+1]
	}
	all := slices.Clone(earlier)
	for _, row := range f.logged[:last+1] {
		if row.Tag == tag {
			all = append(all, row)
		}
	}
	return all
}

// rowOf returns which row of this run a logged vote is; -1 for an older one.
func (f *fold) rowOf(v LoggedVote) int {
	return slices.IndexFunc(f.logged, func(row LoggedVote) bool { return row.Tag == v.Tag && row.Revision == v.Revision })
}

// judge counts the nth vote of the batch, or says why it isn't.
func (f *fold) judge(n int, vote *Vote, earlier []LoggedVote) Outcome {
	d := &f.ballot.Definition
	for i := range earlier {
		if earlier[i].ID == vote.ID {
			return f.repeat(vote, earlier[i])
		}
	}
	if d.Protection == ProtectedByCodes && !f.isCode(n) {
		return Outcome{Err: codeRefused()}
	}
	if len(earlier) > 0 && !d.AllowChange {
		if d.Protection == ProtectedByCodes {
			return Outcome{Err: codeRefused()}
		}
		return Outcome{Err: Errorf(CodeAlreadyVoted, "You have already voted here. Your first vote stands.")}
	}
	if err := f.state.admits(); err != nil {
		return Outcome{Err: err}
	}
	if len(earlier) > 0 {
		return Outcome{Err: f.replace(vote, earlier[len(earlier)-1])}
	}
	if err := f.count(&vote.Choice); err != nil {
		return Outcome{Err: err}
	}
	f.state.Voters++
	return Outcome{}
}

// isCode says whether the nth vote's tag is a code's.
func (f *fold) isCode(n int) bool { return n < len(f.ground.Codes) && f.ground.Codes[n] }

// MaxChanges is how often a voter may change their vote.
const MaxChanges = 20

// replace counts a vote in the place of its voter's last one.
func (f *fold) replace(vote *Vote, last LoggedVote) error {
	if last.Revision > MaxChanges {
		return Errorf(CodeAlreadyVoted, "You have changed your vote %d times already. The last one stands.", MaxChanges)
	}
	past, err := f.ballot.OpenChoice(last)
	if err != nil {
		return err
	}
	if err := f.count(&vote.Choice); err != nil {
		return err
	}
	past.given.each(func(i int) { f.state.Counts[i]-- })
	return past.eachWriteIn(func(option Option) error {
		n := f.numberOf(option.ID)
		if n == 0 {
			return Internal(fmt.Errorf("the vote at position %d is for an unknown write-in", last.Position))
		}
		f.state.Counts[len(f.ballot.Definition.Labels)+n-1]--
		return nil
	})
}

func (f *fold) repeat(vote *Vote, past LoggedVote) Outcome {
	choice, err := f.ballot.OpenChoice(past)
	if err != nil {
		return Outcome{Err: err}
	}
	if !choice.Equal(vote.Choice) {
		if f.ballot.Definition.AllowChange {
			return Outcome{Err: Errorf(CodeVoteIDReused, "This vote was already sent with another choice, which stands. A change of it needs a vote id of its own.")}
		}
		return Outcome{Err: Errorf(CodeVoteIDReused, "This vote was already sent with another choice. Your first vote stands.")}
	}
	return Outcome{Logged: past, Repeat: true}
}

// count adds a choice to the tally, and new write-ins to the options. It does
// nothing when there is no room for one of them.
func (f *fold) count(c *Choice) error {
	if c.writeIn.ID != "" {
		if err := f.countWriteIns(c); err != nil {
			return err
		}
	}
	c.given.each(func(i int) { f.state.Counts[i]++ })
	return nil
}

func (f *fold) countWriteIns(c *Choice) error {
	added := 0
	_ = c.eachWriteIn(func(option Option) error {
		if f.numberOf(option.ID) == 0 {
			added++
		}
		return nil
	})
	if len(f.writeIns)+added > MaxWriteIns {
		return noRoom()
	}
	return c.eachWriteIn(func(option Option) error {
		n, err := f.room(option)
		if err == nil {
			f.state.Counts[len(f.ballot.Definition.Labels)+n-1]++
		}
		return err
	})
}

func noRoom() error {
	return Invalid(FieldError{Field: "write_in", Code: "too_many",
		Message: "This ballot has no room for another option of your own. Please choose one that is there."})
}

// numberOf returns a write-in's number; zero for one that is not there.
func (f *fold) numberOf(id OptionID) int {
	for i := range f.writeIns {
		if f.writeIns[i].Option.ID == id {
			return f.writeIns[i].Number
		}
	}
	return 0
}

// room returns a write-in's number, a new one if it is the first of its kind,
// and makes room for its count.
func (f *fold) room(option Option) (int, error) {
	if n := f.numberOf(option.ID); n > 0 {
		return n, nil
	}
	n := len(f.writeIns) + 1
	if n > MaxWriteIns {
		return 0, noRoom()
	}
	w := WriteIn{Number: n, Option: option}
	f.writeIns, f.added = append(f.writeIns, w), append(f.added, w)
	f.state.Counts = append(f.state.Counts, 0)
	return n, nil
}

// number gives the new rows their positions, after the given one, and returns
// them in that order.
func (f *fold) number(position uint64) []LoggedVote {
	order := slices.Grow(make([]int, 0, few), len(f.logged))
	for i := range f.logged {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := bytes.Compare(f.logged[a].Tag[:], f.logged[b].Tag[:]); c != 0 {
			return c
		}
		return cmp.Compare(f.logged[a].Revision, f.logged[b].Revision)
	})
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
	head.ExpiresAt = f.ballot.Definition.expires(head.ExpiresAt, f.state, len(logged) > 0 || f.revived, f.ground.Now)
	var err error
	if head.Sealed, err = f.state.Seal(f.ballot.Key, head.Version); err != nil {
		return Effect{}, err
	}
	effect := Effect{Head: head, Logged: logged, Outcomes: f.outcomes, Refused: f.refused, State: f.state, WriteIns: f.writeIns[known:]}
	if f.edited != nil {
		effect.Edited = f.edited
		if effect.Definition, err = SealDefinition(f.ballot.Key, *f.edited); err != nil {
			return Effect{}, err
		}
	}
	for _, w := range f.added {
		effect.Added = append(effect.Added, sealWriteIn(f.ballot.Key, w))
	}
	return effect, nil
}
