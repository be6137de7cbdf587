package historytest

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// state is a ballot as one voter knows it.
type state struct {
	closed bool
	// id is empty until the voter has voted.
	id      string
	choice  int
	receipt string // empty while nobody was told
	version uint64
}

// Operations on a state, besides a Vote.
type (
	// turned is a change of the status.
	turned struct{ open bool }
	// looked is a look into the log, at the end: the voter's vote there.
	looked struct{ id string }
)

// checkPatience bounds what one voter's history may cost.
const checkPatience = 10 * time.Second

// model is what every voter may rely on.
var model = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(before, input, output any) (bool, any) {
		s := before.(state)
		switch op := input.(type) {
		case Vote:
			return s.vote(op, output.(Answer))
		case turned:
			s.closed = !op.open
			return true, s
		default:
			return s.id == input.(looked).id, s
		}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// vote says whether a vote may be answered so, and what is then.
func (s state) vote(v Vote, a Answer) (possible bool, after state) {
	fresh, same := s.id == "", s.id == v.ID && s.choice == v.Choice
	switch {
	case a.Fate == Unknown && fresh && !s.closed:
		s.id, s.choice = v.ID, v.Choice
		return true, s
	case a.Fate == Unknown:
		return true, s
	case a.Fate == Accepted && fresh:
		possible = !s.closed
		s.id, s.choice, s.receipt, s.version = v.ID, v.Choice, a.Receipt, a.Version
		return possible, s
	case a.Fate == Accepted:
		possible = same && (s.receipt == "" || s.receipt == a.Receipt && s.version == a.Version)
		s.receipt, s.version = a.Receipt, a.Version
		return possible, s
	case a.Code == "already_voted":
		return !fresh && s.id != v.ID, s
	case a.Code == "vote_id_reused":
		return s.id == v.ID && !same, s
	case a.Code == "closed":
		return fresh && s.closed, s
	default:
		return false, s
	}
}

// linearizable says whether one voter's attempts, beside the turns of the
// ballot, could have happened at one moment each, and left that vote in the
// log. What failed for certain has not happened; what is unknown may have, at
// any time.
func linearizable(attempts []attempt, turns []turn, kept string) bool {
	var history []porcupine.Operation
	end := time.Duration(0)
	for i, a := range attempts {
		if a.answer.Fate != Failed {
			history = append(history, operation(i, a.span, a.vote, a.answer, a.answer.Fate == Unknown))
		}
		end = max(end, a.answered)
	}
	for _, t := range turns {
		if t.fate == Accepted || t.fate == Unknown {
			history = append(history, operation(len(attempts), t.span, turned{t.open}, nil, t.fate == Unknown))
		}
		end = max(end, t.answered)
	}
	history = append(history, operation(len(attempts)+1, span{end + 1, end + 2}, looked{kept}, nil, false))
	return porcupine.CheckOperationsTimeout(model, history, checkPatience) == porcupine.Ok
}

func operation(client int, s span, input, output any, open bool) porcupine.Operation {
	returned := int64(s.answered)
	if open {
		returned = math.MaxInt64
	}
	return porcupine.Operation{ClientId: client, Input: input, Output: output, Call: int64(s.sent), Return: returned}
}
