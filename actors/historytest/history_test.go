package historytest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/actors/historytest"
)

// story is a history in the making, and the log that belongs to it.
type story struct {
	*historytest.History
	log historytest.Log
}

const ballot = "b"

func vote(voter, id string, choice int) historytest.Vote {
	return historytest.Vote{Ballot: ballot, Voter: voter, ID: id, Choice: choice}
}

func accepted(receipt string, version uint64) historytest.Answer {
	return historytest.Answer{Fate: historytest.Accepted, Receipt: receipt, Version: version}
}

func refused(code string) historytest.Answer {
	return historytest.Answer{Fate: historytest.Refused, Code: code}
}

// cast sends a vote that takes a second.
func (s *story) cast(v historytest.Vote, a historytest.Answer) {
	time.Sleep(time.Second) // virtual time
	answered := s.Send(v)
	time.Sleep(time.Second) // virtual time
	answered(a)
}

func (s *story) turn(open bool) {
	time.Sleep(time.Second) // virtual time
	answered := s.Turn(ballot, open)
	time.Sleep(time.Second) // virtual time
	answered(historytest.Accepted)
}

func (s *story) look(client string, presented, version uint64, counts ...uint64) {
	voters := uint64(0)
	for _, n := range counts {
		voters += n
	}
	s.Look(historytest.Read{Ballot: ballot, Client: client, Presented: presented, Version: version, Voters: voters, Counts: counts})
}

func (s *story) keep(version uint64, ids ...string) {
	for _, id := range ids {
		s.log.Rows = append(s.log.Rows, historytest.Row{Position: uint64(len(s.log.Rows)) + 1, Version: version, ID: id})
	}
	s.log.Head = max(s.log.Head, version)
}

// tell tells a history that keeps every promise: x is acknowledged, y after an
// unknown outcome, z never; the ballot closes, and w comes too late.
func tell(t *testing.T, more func(s *story)) []string {
	t.Helper()
	var broken []string
	synctest.Test(t, func(*testing.T) {
		s := &story{History: historytest.New()}
		s.look("reader", 0, 1, 0, 0)
		s.cast(vote("ann", "x", 0), accepted("rx", 2))
		s.cast(vote("ann", "x", 0), accepted("rx", 2))
		s.cast(vote("ann", "x", 1), refused("vote_id_reused"))
		s.cast(vote("ann", "x2", 1), refused("already_voted"))
		s.look("reader", 1, 2, 1)
		s.cast(vote("bob", "y", 1), historytest.Answer{})
		s.cast(vote("cid", "z", 1), historytest.Answer{})
		s.cast(vote("bob", "y", 1), accepted("ry", 3))
		s.look("reader", 2, 3, 1, 1)
		s.look("stranger", 0, 2, 1)
		s.turn(false)
		s.cast(vote("dee", "w", 0), refused("closed"))
		s.cast(vote("bob", "y", 1), accepted("ry", 3))
		s.cast(vote("eve", "v", 0), historytest.Answer{Fate: historytest.Failed})
		s.keep(2, "x")
		s.keep(3, "y")
		s.keep(4)
		s.look("reader", 3, 4, 1, 1)
		if more != nil {
			more(s)
		}
		broken = s.Check(map[string]historytest.Log{ballot: s.log})
	})
	return broken
}

func TestCheck_FindsNothingInAGoodHistory(t *testing.T) {
	if broken := tell(t, nil); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestCheck_FindsEveryBrokenPromise(t *testing.T) {
	for _, breach := range []struct {
		want string
		do   func(s *story)
	}{
		{"lost: vote x", func(s *story) { s.log.Rows[0].ID = "z" }},
		{"counted twice: voter ann", func(s *story) { s.keep(4, "x") }},
		{"counted twice: voter ann", func(s *story) { s.keep(4, "x2") }},
		{"that nobody cast", func(s *story) { s.keep(4, "forged") }},
		{"vote v counts", func(s *story) { s.keep(4, "v") }},
		{"vote w counts", func(s *story) { s.keep(4, "w") }},
		{"row 2 has position 3", func(s *story) { s.log.Rows[1].Position = 3 }},
		{"position 2 has version 5", func(s *story) { s.log.Rows[1].Version = 5 }},
		{"with version 3 and has 4", func(s *story) { s.log.Rows[1].Version = 4 }},
		{"position 1 was sent after", func(s *story) { s.log.Rows[0].ID, s.log.Rows[1].ID = "y", "x" }},
		{"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "x", 0), accepted("another", 2)) }},
		{"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "x", 0), accepted("rx", 3)) }},
		{"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "x", 0), refused("already_voted")) }},
		{"counted twice: voter ann", func(s *story) { s.cast(vote("ann", "x3", 1), replacing("rx", "rx3", 4)); s.keep(4, "x3") }},
		{"not linearizable: voter cid", func(s *story) { s.cast(vote("cid", "z2", 0), refused("already_voted")) }},
		{"not linearizable: voter bob", func(s *story) { s.cast(vote("bob", "y2", 0), refused("closed")) }},
		{"vote u was taken while the ballot was closed", func(s *story) {
			s.cast(vote("fay", "u", 0), accepted("ru", 4)) // after closing
			s.keep(4, "u")
		}},
		{"vote t was refused as too late", func(s *story) {
			s.turn(true)
			s.cast(vote("gil", "t", 0), refused("closed"))
		}},
		{"fell: reader was shown version 3 after 4", func(s *story) { s.look("reader", 0, 3, 1, 1) }},
		{"had seen version 4 and was shown 3", func(s *story) { s.look("new", 4, 3, 1, 1) }},
		{"was shown version 9, the head has 4", func(s *story) { s.look("new", 0, 9, 1, 1) }},
		{"was shown 2 voters and [2 0] at version 3", func(s *story) { s.look("new", 0, 3, 2, 0) }},
		{"was shown 0 voters and [0 0] at version 3", func(s *story) { s.look("new", 0, 3, 0, 0) }},
	} {
		t.Run(breach.want, func(t *testing.T) {
			broken := tell(t, breach.do)
			if !slices.ContainsFunc(broken, func(b string) bool { return strings.Contains(b, breach.want) }) {
				t.Errorf("found %q", broken)
			}
		})
	}
}

// TestCheck_TurnsMayComeLate has a ballot that is perhaps closed: until it is
// known, votes may be taken and refused.
func TestCheck_TurnsMayComeLate(t *testing.T) {
	broken := tell(t, func(s *story) {
		s.turn(true)
		s.Turn(ballot, false)(historytest.Unknown)
		s.cast(vote("fay", "u", 0), accepted("ru", 5))
		s.cast(vote("gil", "t", 0), refused("closed"))
		s.keep(5, "u")
	})
	if len(broken) > 0 {
		t.Error(broken)
	}
}

// TestCheck_AChoiceThatNobodyKnows has a vote sent with two choices, of which
// nobody was told which one counts.
func TestCheck_AChoiceThatNobodyKnows(t *testing.T) {
	for counts, want := range map[[2]uint64]bool{{2, 1}: true, {1, 2}: true, {0, 3}: false, {1, 1}: false, {2, 2}: false} {
		broken := tell(t, func(s *story) {
			s.turn(true)
			s.cast(vote("fay", "u", 0), historytest.Answer{})
			s.cast(vote("fay", "u", 1), historytest.Answer{})
			s.keep(5, "u")
			s.Look(historytest.Read{Ballot: ballot, Client: "reader", Version: 5, Voters: 3, Counts: counts[:]})
		})
		if good := len(broken) == 0; good != want {
			t.Errorf("%v: %q", counts, broken)
		}
	}
}

func TestFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{History: historytest.New()}
		s.cast(vote("ann", "x", 0), historytest.Answer{})
		s.cast(vote("ann", "x", 0), accepted("rx", 2))
		s.cast(vote("ann", "y", 0), refused("already_voted"))
		want := historytest.Figures{Votes: 2, Attempts: 3, Repeats: 1, Accepted: 1, Refused: 1, Unknown: 1, Acknowledged: 1}
		if got := s.Figures(); got != want {
			t.Errorf("got %+v", got)
		}
	})
}
