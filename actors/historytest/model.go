package historytest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// state is a voter's vote.
type state struct {
	// id is empty until the voter has voted.
	id      string
	choice  int
	receipt string // empty while nobody was told
	version uint64
}

// looked is a look into the log, at the end: the voter's vote there.
type looked struct{ id string }

// checkPatience bounds what one voter's history may cost.
const checkPatience = 10 * time.Second

// model is what every voter may rely on.
var model = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(before, input, output any) (bool, any) {
		s := before.(state)
		if vote, ok := input.(Vote); ok {
			return s.vote(vote, output.(Answer))
		}
		return s.id == input.(looked).id, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// vote says whether a vote may be answered so, and what is then.
func (s state) vote(v Vote, a Answer) (possible bool, after state) {
	fresh, same := s.id == "", s.id == v.ID && s.choice == v.Choice
	switch {
	case a.Fate == Unknown && fresh:
		s.id, s.choice = v.ID, v.Choice
		return true, s
	case a.Fate == Unknown:
		return true, s
	case a.Fate == Accepted && fresh:
		s.id, s.choice, s.receipt, s.version = v.ID, v.Choice, a.Receipt, a.Version
		return true, s
	case a.Fate == Accepted:
		possible = same && (s.receipt == "" || s.receipt == a.Receipt && s.version == a.Version)
		s.receipt, s.version = a.Receipt, a.Version
		return possible, s
	case a.Code == "already_voted":
		return !fresh && s.id != v.ID, s
	case a.Code == "vote_id_reused":
		return s.id == v.ID && !same, s
	case a.Code == "closed":
		return fresh, s // see check.status
	default:
		return false, s
	}
}

// linearizable says whether one voter's attempts could have happened at one
// moment each, and left that vote in the log. What failed for certain has not
// happened; what is unknown may have, at any time.
func linearizable(attempts []attempt, kept string) bool {
	var history []porcupine.Operation
	end, unknown := time.Duration(0), map[Vote]bool{}
	slices.SortFunc(attempts, func(a, b attempt) int { return cmp.Compare(a.sent, b.sent) })
	for i, a := range attempts {
		end = max(end, a.answered)
		open := a.answer.Fate == Unknown
		if a.answer.Fate == Failed || open && unknown[a.vote] { // the first can do all that the others can
			continue
		}
		unknown[a.vote] = unknown[a.vote] || open
		history = append(history, operation(i, a.span, a.vote, a.answer, open))
	}
	history = append(history, operation(len(attempts), span{end + 1, end + 2}, looked{kept}, nil, false))
	return porcupine.CheckOperationsTimeout(model, history, checkPatience) == porcupine.Ok
}

func operation(client int, s span, input, output any, open bool) porcupine.Operation {
	returned := int64(s.answered)
	if open {
		returned = math.MaxInt64
	}
	return porcupine.Operation{ClientId: client, Input: input, Output: output, Call: int64(s.sent), Return: returned}
}
