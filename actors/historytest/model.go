package historytest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// voted is all that a voter has voted, the latest last: that one counts.
type voted []entry

// entry is one vote. Receipt and version are empty while nobody was told them.
type entry struct {
	id      string
	choice  int
	receipt string
	version uint64
}

// looked is a look into the log, at the end: the voter's votes there.
type looked struct{ ids []string }

// checkPatience bounds what one voter's history may cost.
const checkPatience = 10 * time.Second

// modelOf is what every voter may rely on who may change their vote so often.
func modelOf(changes int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return voted(nil) },
		Step: func(before, input, output any) (bool, any) {
			votes := before.(voted)
			if vote, ok := input.(Vote); ok {
				return votes.step(changes, vote, output.(Answer))
			}
			return slices.EqualFunc(votes, input.(looked).ids, func(e entry, id string) bool { return e.id == id }), votes
		},
		Equal:             func(a, b any) bool { return slices.Equal(a.(voted), b.(voted)) },
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	}
}

// step says whether a vote may be answered so, and what is then. It changes
// nothing of what was before.
func (s voted) step(changes int, v Vote, a Answer) (possible bool, after voted) {
	n := slices.IndexFunc(s, func(e entry) bool { return e.id == v.ID })
	room := n < 0 && len(s) <= changes
	switch {
	case a.Fate == Unknown && room:
		return true, append(slices.Clone(s), entry{id: v.ID, choice: v.Choice})
	case a.Fate == Unknown:
		return true, s
	case a.Fate == Accepted && room:
		return append(slices.Clone(s), entry{id: v.ID, choice: v.Choice}).tell(len(s), a)
	case a.Fate == Accepted:
		if n < 0 || s[n].choice != v.Choice {
			return false, s
		}
		return slices.Clone(s).tell(n, a)
	case a.Code == "already_voted":
		return n < 0 && !room, s
	case a.Code == "vote_id_reused":
		return n >= 0 && s[n].choice != v.Choice, s
	case a.Code == "closed": // see check.status
		return n < 0 && (len(s) == 0 || changes > 0), s
	default:
		return false, s
	}
}

// tell has a voter told about their nth vote: always the same, and the receipt
// of the one before it. It changes s.
func (s voted) tell(n int, a Answer) (possible bool, after voted) {
	possible = learn(&s[n].receipt, a.Receipt) && learn(&s[n].version, a.Version)
	if n == 0 {
		return possible && a.Replaces == "", s
	}
	return possible && a.Replaces != a.Receipt && learn(&s[n-1].receipt, a.Replaces), s
}

// learn takes what is told when nothing is known yet, and says whether it is
// what is known.
func learn[T comparable](known *T, told T) bool {
	var nothing T
	if *known == nothing {
		*known = told
	}
	return told != nothing && *known == told
}

// linearizable says whether one voter's attempts could have happened at one
// moment each, and left those votes in the log. What failed for certain has not
// happened; what is unknown may have, at any time.
func linearizable(attempts []attempt, changes int, kept []string) bool {
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
	return porcupine.CheckOperationsTimeout(modelOf(changes), history, checkPatience) == porcupine.Ok
}

func operation(client int, s span, input, output any, open bool) porcupine.Operation {
	returned := int64(s.answered)
	if open {
		returned = math.MaxInt64
	}
	return porcupine.Operation{ClientId: client, Input: input, Output: output, Call: int64(s.sent), Return: returned}
}
