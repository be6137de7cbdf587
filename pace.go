package oponn

import (
	"slices"
	"time"
)

// Slot is how many voters came within one of the equal parts that a time is
// divided into, counted from 0.
type Slot struct {
	Number int
	Voters uint64
}

// paceSlots is how many parts the time of a ballot is divided into, at most.
const paceSlots = 240

// PaceBucket is the least number of votes of which a chart says together when
// they came.
const PaceBucket = 10

// Span is the time of a ballot that a chart of its votes shows, in equal slots.
type Span struct {
	From time.Time
	Slot time.Duration // whole seconds
}

// Span returns the time from a ballot's opening until it closed, or until now.
func (s Snapshot) Span(now time.Time) Span {
	from, until := s.Ballot.CreatedAt, now
	if s.State.OpensAt.After(from) {
		from = s.State.OpensAt
	}
	if s.State.Status == Closed {
		until = s.State.ClosedAt
	}
	from = from.UTC().Truncate(time.Second)
	seconds := max(int64(until.Sub(from)/time.Second)+1, 1)
	return Span{From: from, Slot: time.Duration((seconds+paceSlots-1)/paceSlots) * time.Second}
}

// Point is a moment and how many had voted by then.
type Point struct {
	At     time.Time
	Voters uint64
}

// Pace is how the votes of a ballot came in: a line through the points, of
// which each is at least PaceBucket voters above the one before. It tells of
// nobody when exactly they voted.
type Pace []Point

// NewPace joins the slots of a span until each part holds PaceBucket voters.
// Slots may come in any order, each once. What is left over at the end goes with the part before when the
// ballot is closed, and is left out while it is open. It is nil when there are
// not enough voters for a single part.
func NewPace(span Span, slots []Slot, closed bool) Pace {
	slots = slices.Clone(slots)
	slices.SortFunc(slots, func(a, b Slot) int { return a.Number - b.Number })
	pace := Pace{{At: span.From}}
	var sum, waiting uint64
	last := 0
	for _, slot := range slots {
		sum, waiting, last = sum+slot.Voters, waiting+slot.Voters, slot.Number
		if waiting >= PaceBucket {
			pace = append(pace, Point{At: span.end(last), Voters: sum})
			waiting = 0
		}
	}
	if len(pace) == 1 {
		return nil
	}
	if closed && waiting > 0 {
		pace[len(pace)-1] = Point{At: span.end(last), Voters: sum}
	}
	return pace
}

// end returns when a slot ends.
func (s Span) end(slot int) time.Time { return s.From.Add(time.Duration(slot+1) * s.Slot) }
