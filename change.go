package oponn

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Change is what an owner wants different; zero fields stay as they are. All
// of it is done as one version of the head, or nothing.
type Change struct {
	// Status may be Closed: the ballot closes now; or Open: it opens now, also
	// for the second time.
	Status Status
	// ClosesAt is a new plan for closing; a zero time for never.
	ClosesAt *time.Time
	// Question and Options are new texts, until the first vote.
	Question *string
	Options  []string
	// WriteIn is an option that a voter added, to be hidden or shown.
	WriteIn *Showing
	// Delete deletes the ballot.
	Delete bool
}

// Showing says whether a write-in shall be hidden or, not hidden any longer or
// approved, be shown.
type Showing struct {
	Option OptionID
	Hidden bool
}

// Edits says whether the change concerns the ballot's definition. Votes made
// before it are votes on another ballot, as it were.
func (c *Change) Edits() bool { return c.Question != nil || c.Options != nil }

// some says whether anything is asked for.
func (c *Change) some() bool {
	return c.Status != "" || c.ClosesAt != nil || c.WriteIn != nil || c.Edits()
}

// ErrStale is in the chain of the CodeBusy error of an Apply that was made for
// a definition that is not the newest any more: load the ballot again.
var ErrStale = errors.New("the definition is not the newest")

// bury deletes the ballot, whatever it is by now. Nothing of it is opened.
func bury(ground Ground, votes int) Effect {
	effect := Effect{Head: ground.Head, Tombstone: true, Outcomes: make([]Outcome, votes)}
	for i := range effect.Outcomes {
		effect.Outcomes[i].Err = Errorf(CodeGone, "This ballot was deleted.")
	}
	return effect
}

// Burying returns the batch that deletes a ballot. It needs no key.
func Burying(ballot BallotID) Batch {
	return Batch{Ballot: ballot, Apply: func(ground Ground) (Effect, error) { return bury(ground, 0), nil }}
}

// Purging returns the batch that deletes a ballot whose retention has ended,
// and leaves it alone when a vote came meanwhile. It needs no key.
func Purging(ballot BallotID) Batch {
	return Batch{Ballot: ballot, Apply: func(ground Ground) (Effect, error) {
		if ground.Now.Before(ground.Head.ExpiresAt) {
			return Effect{Head: ground.Head}, nil
		}
		return bury(ground, 0), nil
	}}
}

// change makes a change, all of it or nothing, and says whether anything moved.
func (f *fold) change(c *Change) (moved bool) {
	next, err := f.schedule(c)
	if err == nil {
		next.Marks, err = f.mark(next.Marks, c.WriteIn)
	}
	var edited *Definition
	if err == nil && c.Edits() {
		edited, err = f.edit(c)
	}
	if err != nil {
		f.refused = err
		return false
	}
	if edited != nil {
		f.edited = edited
		next.Definition = edited.Revision
		next.Counts = make([]uint64, len(edited.Labels)+len(f.writeIns))
	}
	moved = edited != nil || next.Marks != f.state.Marks || next.Status != f.state.Status ||
		!next.ClosesAt.Equal(f.state.ClosesAt) || !next.OpensAt.Equal(f.state.OpensAt)
	if f.revived = moved; moved {
		f.state = next
	}
	return moved
}

// schedule returns the state with the status and the times that the change
// asks for.
func (f *fold) schedule(c *Change) (State, error) {
	s, now := f.state, microseconds(f.ground.Now)
	switch {
	case c.Status == Closed && c.ClosesAt != nil:
		return s, Invalid(FieldError{Field: "closes_at", Code: "conflict", Message: "A ballot that closes now has no time to close at."})
	case c.Status == Closed && s.Status != Closed:
		s.Status, s.ClosedAt = Closed, now
	case c.Status == Open && s.Status != Open:
		s.Status, s.ClosedAt = Open, time.Time{}
		if s.OpensAt.After(now) {
			s.OpensAt = now
		}
		if !s.ClosesAt.After(now) {
			s.ClosesAt = time.Time{}
		}
	}
	if c.ClosesAt == nil {
		return s, nil
	}
	if s.Status == Closed {
		return s, Errorf(CodeClosed, "This ballot is closed. Open it again to give it another time to close.")
	}
	plan := Window{ClosesAt: *c.ClosesAt}
	if s.Status == Scheduled {
		plan.OpensAt = s.OpensAt
	}
	plan, wrong := plan.check(now)
	if len(wrong) > 0 {
		return s, Invalid(wrong...)
	}
	s.ClosesAt = plan.ClosesAt
	return s, nil
}

// edit returns the definition with other texts. An option whose label stays
// keeps its id; a new one gets an id that none had before, so that a form that
// is still open somewhere can't vote for what it doesn't show.
func (f *fold) edit(c *Change) (*Definition, error) {
	d := f.ballot.Definition
	question, options := d.Question, d.Labels
	if c.Question != nil {
		question = *c.Question
	}
	if c.Options != nil {
		options = c.Options
	}
	question, labels, wrong := checkTexts(question, options)
	if _, bad := d.check(len(labels), d.AllowWriteIn); len(wrong) == 0 {
		wrong = bad
	}
	switch {
	case len(wrong) > 0:
		return nil, Invalid(wrong...)
	case question == d.Question && slices.Equal(labels, d.Labels):
		return nil, nil
	case f.state.Voters > 0:
		field := "question"
		if c.Options != nil {
			field = "options"
		}
		return nil, Invalid(FieldError{Field: field, Code: "has_votes", Message: "People have voted on this already: question and options stay as they are."})
	}
	return d.relabeled(question, labels), nil
}

// relabeled returns the next revision of the definition, with other texts.
func (d *Definition) relabeled(question string, labels []string) *Definition {
	ids := make(map[string]int, len(d.Labels))
	last := d.LastNumber
	for i, label := range d.Labels {
		n := d.number(i)
		ids[FoldLabel(label)], last = n, max(last, n)
	}
	next := *d
	next.Question, next.Labels, next.Numbers = question, labels, make([]int, len(labels))
	next.Revision++
	for i, label := range labels {
		n, stays := ids[FoldLabel(label)]
		if !stays {
			last++
			n = last
		}
		next.Numbers[i] = n
	}
	next.LastNumber = last
	return &next
}

// The marks of write-ins in State.Marks.
const (
	unmarked   = '.'
	markHidden = 'h'
	markShown  = 's'
)

// mark returns the marks with that of one write-in changed.
func (f *fold) mark(marks string, showing *Showing) (string, error) {
	if showing == nil {
		return marks, nil
	}
	at := slices.IndexFunc(f.writeIns, func(w WriteIn) bool { return w.Option.ID == showing.Option })
	if at < 0 {
		if slices.ContainsFunc(f.ballot.Definition.Options(), func(o Option) bool { return o.ID == showing.Option }) {
			return "", Invalid(FieldError{Field: "hidden", Code: "not_a_write_in", Message: "Only options that voters added can be hidden."})
		}
		return "", Errorf(CodeNotFound, "There is no such option.")
	}
	before := f.ballot.Definition.standing(marks, at)
	wanted := Shown
	if showing.Hidden {
		wanted = Hidden
	}
	if before == wanted {
		return marks, nil
	}
	spelled := []byte(marks + strings.Repeat(string(unmarked), max(0, at+1-len(marks))))
	spelled[at] = markShown
	if showing.Hidden {
		spelled[at] = markHidden
	}
	return string(spelled), nil
}

// Standing says whether a write-in is shown.
type Standing string

// The three ways a write-in can stand. Options of the owner's are always shown.
const (
	Shown   Standing = ""
	Pending Standing = "pending" // it waits for the owner's approval
	Hidden  Standing = "hidden"  // the owner has hidden it, which is shown
)

// standing returns how the write-in at an index, from 0, stands.
func (d *Definition) standing(marks string, at int) Standing {
	mark := byte(unmarked)
	if at < len(marks) {
		mark = marks[at]
	}
	switch {
	case mark == markHidden:
		return Hidden
	case mark != markShown && d.WriteIns == WriteInsModerated:
		return Pending
	default:
		return Shown
	}
}
