package historytest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/actors/historytest"
)

func replacing(former, receipt string, version uint64) historytest.Answer {
	return historytest.Answer{Fate: historytest.Accepted, Receipt: receipt, Replaces: former, Version: version}
}

// lookAs looks at a tally of voters who may have been counted wrong.
func (s *story) lookAs(client string, version, voters uint64, counts ...uint64) {
	s.Look(historytest.Read{Ballot: ballot, Client: client, Version: version, Voters: voters, Counts: counts})
}

// tellChanges tells a history that keeps every promise, on a ballot where each
// voter may change their vote twice: ann does, and tries once more; bob does
// after an unknown outcome; then the ballot closes.
func tellChanges(t *testing.T, more func(s *story)) []string {
	t.Helper()
	var broken []string
	synctest.Test(t, func(*testing.T) {
		s := &story{History: historytest.New(), log: historytest.Log{Changes: 2}}
		s.cast(vote("ann", "x", 0), accepted("rx", 2))
		s.cast(vote("ann", "y", 1), replacing("rx", "ry", 3))
		s.lookAs("reader", 3, 1, 0, 1)
		s.cast(vote("ann", "x", 0), accepted("rx", 2))
		s.cast(vote("ann", "x", 1), refused("vote_id_reused"))
		s.cast(vote("bob", "p", 0), historytest.Answer{})
		s.cast(vote("bob", "q", 1), replacing("rp", "rq", 5))
		s.cast(vote("bob", "p", 0), accepted("rp", 4))
		s.lookAs("reader", 4, 2, 1, 1)
		s.lookAs("reader", 5, 2, 0, 2)
		s.cast(vote("ann", "z", 0), replacing("ry", "rz", 6))
		s.cast(vote("ann", "w", 1), refused("already_voted"))
		s.cast(vote("cid", "m", 0), historytest.Answer{})
		s.turn(false)
		s.cast(vote("bob", "r", 0), refused("closed"))
		s.cast(vote("ann", "y", 1), replacing("rx", "ry", 3))
		for i, id := range []string{"x", "y", "p", "q", "z"} {
			s.keep(uint64(i)+2, id)
		}
		s.keep(7)
		s.lookAs("reader", 7, 2, 1, 1)
		if more != nil {
			more(s)
		}
		broken = s.Check(map[string]historytest.Log{ballot: s.log})
	})
	return broken
}

func TestCheck_FindsNothingInAGoodHistoryOfChanges(t *testing.T) {
	if broken := tellChanges(t, nil); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestCheck_FindsEveryBrokenPromiseAboutChanges(t *testing.T) {
	for name, breach := range map[string]struct {
		want string
		do   func(s *story)
	}{
		"a change adds to the former choice":    {"was shown 2 voters and [1 2] at version 5", func(s *story) { s.lookAs("new", 5, 2, 1, 2) }},
		"a change doesn't count":                {"was shown 1 voters and [1 0] at version 3", func(s *story) { s.lookAs("new", 3, 1, 1, 0) }},
		"a change only takes away":              {"was shown 1 voters and [0 0] at version 3", func(s *story) { s.lookAs("new", 3, 1, 0, 0) }},
		"a change takes the wrong one away":     {"was shown 2 voters and [0 2] at version 6", func(s *story) { s.lookAs("new", 6, 2, 0, 2) }},
		"who changes is counted again":          {"was shown 2 voters and [0 1] at version 3", func(s *story) { s.lookAs("new", 3, 2, 0, 1) }},
		"an old vote counts again":              {"was shown 2 voters and [2 0] at version 7", func(s *story) { s.lookAs("new", 7, 2, 2, 0) }},
		"an old vote is in the log again":       {"counted twice: voter ann", func(s *story) { s.keep(7, "x") }},
		"a change is lost":                      {"lost: vote y", func(s *story) { s.log.Rows[1].ID = "m" }},
		"a change that was refused is kept":     {"vote w counts", func(s *story) { s.keep(7, "w") }},
		"more changes than are allowed":         {"counted twice: voter ann", func(s *story) { s.cast(vote("ann", "v", 1), replacing("rz", "rv", 7)); s.keep(7, "v") }},
		"more changes are told than allowed":    {"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "v", 1), replacing("rz", "rv", 7)) }},
		"a change is refused that is allowed":   {"not linearizable: voter bob", func(s *story) { s.cast(vote("bob", "v", 1), refused("already_voted")) }},
		"a change after closing":                {"vote v was taken while the ballot was closed", func(s *story) { s.cast(vote("bob", "v", 1), replacing("rq", "rv", 7)); s.keep(7, "v") }},
		"an old vote gets the latest's receipt": {"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "x", 0), replacing("ry", "rz", 6)) }},
		"an old vote is refused":                {"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "y", 1), refused("closed")) }},
		"an old vote is taken for another":      {"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "x", 1), accepted("rx", 2)) }},
		"the choice of an old vote is taken":    {"not linearizable: voter ann", func(s *story) { s.cast(vote("ann", "y", 1), refused("vote_id_reused")) }},
		"a first vote replaces one":             {"not linearizable: voter dee", func(s *story) { s.change("dee", replacing("r?", "ra", 8)) }},
		"a change replaces none":                {"not linearizable: voter dee", func(s *story) { s.change("dee", accepted("ra", 8), accepted("rb", 9)) }},
		"a change replaces itself":              {"not linearizable: voter dee", func(s *story) { s.change("dee", accepted("ra", 8), replacing("ra", "ra", 9)) }},
		"a change replaces what was replaced": {"not linearizable: voter dee", func(s *story) {
			s.change("dee", accepted("ra", 8), replacing("ra", "rb", 9), replacing("ra", "rc", 10))
		}},
		"changes are kept in another order":      {"not linearizable: voter dee", func(s *story) { s.both("b", "a") }},
		"another receipt than the next one told": {"not linearizable: voter bob", func(s *story) { s.cast(vote("bob", "p", 0), accepted("another", 4)) }},
	} {
		t.Run(name, func(t *testing.T) {
			broken := tellChanges(t, breach.do)
			if !slices.ContainsFunc(broken, func(b string) bool { return strings.Contains(b, breach.want) }) {
				t.Errorf("found %q", broken)
			}
		})
	}
}

// change opens the ballot, and has a voter vote as often as there are answers.
func (s *story) change(voter string, answers ...historytest.Answer) {
	s.turn(true)
	for i, answer := range answers {
		id := string(rune('a' + i))
		s.cast(vote(voter, id, 0), answer)
		s.keep(uint64(8+i), id)
	}
}

// both opens the ballot, and has a voter send a and b at once: they are told
// that b replaces a. The log keeps them as given, with one version.
func (s *story) both(kept ...string) {
	s.turn(true)
	a, b := s.Send(vote("dee", "a", 0)), s.Send(vote("dee", "b", 1))
	time.Sleep(time.Second) // virtual time
	b(replacing("ra", "rb", 8))
	a(accepted("ra", 8))
	s.keep(8, kept...)
}

func TestCheck_ChangesMayComeTogether(t *testing.T) {
	broken := tellChanges(t, func(s *story) {
		s.both("a", "b")
		s.lookAs("reader", 8, 3, 1, 2)
	})
	if len(broken) > 0 {
		t.Error(broken)
	}
}

// TestCheck_ChangesMayComeLate has a change that nobody answered: it may have
// happened before the next one, after it, or not at all.
func TestCheck_ChangesMayComeLate(t *testing.T) {
	for name, c := range map[string]struct {
		former string
		kept   []string
		counts [2]uint64
	}{
		"before":     {"rv", []string{"a", "v", "b"}, [2]uint64{1, 2}},
		"afterwards": {"ra", []string{"a", "b", "v"}, [2]uint64{2, 1}},
		"not at all": {"ra", []string{"a", "b"}, [2]uint64{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			broken := tellChanges(t, func(s *story) {
				s.turn(true)
				s.cast(vote("dee", "a", 0), accepted("ra", 8))
				s.cast(vote("dee", "v", 0), historytest.Answer{})
				s.cast(vote("dee", "b", 1), replacing(c.former, "rb", 10))
				for _, id := range c.kept {
					s.keep(map[string]uint64{"a": 8, "b": 10, "v": map[bool]uint64{true: 9, false: 11}[c.former == "rv"]}[id], id)
				}
				s.lookAs("reader", s.log.Head, 3, c.counts[:]...)
			})
			if len(broken) > 0 {
				t.Error(broken)
			}
		})
	}
}

// TestCheck_AChoiceThatNobodyKnowsIsReplaced has a vote sent with two choices,
// and then changed: by then nobody has to know any more.
func TestCheck_AChoiceThatNobodyKnowsIsReplaced(t *testing.T) {
	for counts, want := range map[[2]uint64]bool{{1, 2}: true, {2, 1}: false, {2, 2}: false, {1, 1}: false} {
		broken := tellChanges(t, func(s *story) {
			s.turn(true)
			s.cast(vote("dee", "u", 0), historytest.Answer{})
			s.cast(vote("dee", "u", 1), historytest.Answer{})
			s.cast(vote("dee", "v", 1), replacing("ru", "rv", 9))
			s.keep(8, "u")
			s.keep(9, "v")
			s.lookAs("early", 8, 3, 1, 2)
			s.lookAs("late", 9, 3, counts[:]...)
		})
		if good := len(broken) == 0; good != want {
			t.Errorf("%v: %q", counts, broken)
		}
	}
}
