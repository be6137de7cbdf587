package oponn

import "time"

// Status is where a ballot is in its life. It only moves forward, but for a
// reopening by the owner.
type Status string

// The three states of a ballot.
const (
	Scheduled Status = "scheduled"
	Open      Status = "open"
	Closed    Status = "closed"
)

// Window is when votes are taken: from OpensAt on, and before ClosesAt. A zero
// time means now for the one and never for the other.
type Window struct {
	OpensAt  time.Time
	ClosesAt time.Time
}

// maxWindow is how far ahead a ballot may be planned.
const maxWindow = 10 * 366 * 24 * time.Hour

// check returns the window in whole microseconds of UTC, as it is stored, and
// what is wrong with it at the time now.
func (w Window) check(now time.Time) (Window, []FieldError) {
	var wrong []FieldError
	flag := func(field, code, message string) {
		wrong = append(wrong, FieldError{Field: field, Code: code, Message: message})
	}
	w = Window{OpensAt: microseconds(w.OpensAt), ClosesAt: microseconds(w.ClosesAt)}
	far := now.Add(maxWindow)
	switch {
	case w.OpensAt.IsZero() || !w.OpensAt.After(now):
		w.OpensAt = time.Time{} // a time that has passed means: now
	case w.OpensAt.After(far):
		flag("opens_at", "too_far", "This is more than ten years ahead.")
	}
	switch {
	case w.ClosesAt.IsZero():
	case !w.ClosesAt.After(now):
		flag("closes_at", "past", "The closing time has already passed.")
	case !w.OpensAt.IsZero() && !w.ClosesAt.After(w.OpensAt):
		flag("closes_at", "before_opening", "The ballot would close before it opens.")
	case w.ClosesAt.After(far):
		flag("closes_at", "too_far", "This is more than ten years ahead.")
	}
	return w, wrong
}

// microseconds cuts a time to what every store can keep.
func microseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
