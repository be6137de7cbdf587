package oponn_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// recount returns all that a recount of the ledger finds wrong.
func (l *ledger) recount(t rapid.TB) []string {
	t.Helper()
	writeIns, err := oponn.OpenWriteIns(l.ballot.Key, l.writeIns)
	wantCode(t, err, "")
	r := oponn.NewRecount(l.ballot, writeIns)
	var wrong []string
	for _, row := range l.log {
		if err := r.Add(row); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return append(wrong, r.Compare(l.head, l.state(t))...)
}

// wantAgreement checks that a recount finds nothing wrong.
func wantAgreement(t rapid.TB, l *ledger) {
	t.Helper()
	if wrong := l.recount(t); len(wrong) > 0 {
		t.Fatalf("a recount finds %q", wrong)
	}
}

// countedLedger returns a ledger of six votes in two batches; two of them are
// write-ins.
func countedLedger(t rapid.TB) *ledger {
	t.Helper()
	l := newLedger(t, lunch(), oponn.Window{})
	for batch := range 2 {
		var votes []oponn.Vote
		for i, choice := range []string{"1", "2", []string{"Stew", "Pie"}[batch]} {
			n := 3*batch + i
			votes = append(votes, l.vote(t, voter(n), voteID(n), choice))
		}
		l.append(t, noon, oponn.Change{}, votes...)
	}
	return l
}

func TestRecount_AgreesWithEveryHead(t *testing.T) {
	wantAgreement(t, newLedger(t, lunch(), oponn.Window{}))
	l := countedLedger(t)
	wantAgreement(t, l)
	l.append(t, noon, closing)
	wantAgreement(t, l)
}

func TestRecount_Finds(t *testing.T) {
	for name, plant := range map[string]func(*testing.T, *ledger){
		"the first vote missing":   func(_ *testing.T, l *ledger) { l.log = l.log[1:] },
		"a vote missing within":    func(_ *testing.T, l *ledger) { l.log = slices.Delete(l.log, 2, 3) },
		"the last vote missing":    func(_ *testing.T, l *ledger) { l.log = l.log[:5] },
		"every vote missing":       func(_ *testing.T, l *ledger) { l.log = nil },
		"a vote that stands twice": func(_ *testing.T, l *ledger) { l.log = append(l.log, l.log[5]) },
		"a vote for the second time at a new position": func(_ *testing.T, l *ledger) {
			again := l.log[5]
			again.Position++
			l.log, l.head.Position = append(l.log, again), l.head.Position+1
		},
		"rows out of order": func(_ *testing.T, l *ledger) { l.log[1], l.log[2] = l.log[2], l.log[1] },
		"positions swapped between batches": func(_ *testing.T, l *ledger) {
			l.log[0], l.log[5] = l.log[5], l.log[0]
			l.log[0].Position, l.log[5].Position = 1, 6
		},
		"positions swapped within a batch": func(_ *testing.T, l *ledger) {
			l.log[3], l.log[4] = l.log[4], l.log[3]
			l.log[3].Position, l.log[4].Position = 4, 5
		},
		"a position left out": func(_ *testing.T, l *ledger) { l.log[5].Position, l.head.Position = 7, 7 },
		"positions that begin at zero": func(_ *testing.T, l *ledger) {
			for i := range l.log {
				l.log[i].Position--
			}
		},
		"altered bytes":      func(_ *testing.T, l *ledger) { l.log[3].Sealed = alter(l.log[3].Sealed) },
		"another's choice":   func(_ *testing.T, l *ledger) { l.log[3].Sealed = l.log[4].Sealed },
		"another's tag":      func(_ *testing.T, l *ledger) { l.log[3].Tag = l.log[4].Tag },
		"another vote id":    func(_ *testing.T, l *ledger) { l.log[3].ID = voteID(99) },
		"revision zero":      func(_ *testing.T, l *ledger) { l.log[3].Revision = 0 },
		"a revision skipped": func(_ *testing.T, l *ledger) { l.log[3].Revision = 2 },
		"a version still to come": func(_ *testing.T, l *ledger) {
			l.log[5].Version = l.head.Version + 1
		},
		"a version that goes back":        func(_ *testing.T, l *ledger) { l.log[2].Version, l.log[3].Version = 3, 2 },
		"a last position too high":        func(_ *testing.T, l *ledger) { l.head.Position++ },
		"too few voters":                  func(_ *testing.T, l *ledger) { l.head.Voters-- },
		"a write-in too many in the head": func(_ *testing.T, l *ledger) { l.head.WriteIns++ },
		"the first write-in lost":         func(_ *testing.T, l *ledger) { l.writeIns = l.writeIns[1:] },
		"the last write-in lost":          func(_ *testing.T, l *ledger) { l.writeIns = l.writeIns[:1] },
		"a write-in that stands twice": func(t *testing.T, l *ledger) {
			again := l.writeIns[0]
			again.Number = 3
			l.writeIns, l.head.WriteIns = append(l.writeIns, again), 3
			l.reseal(t, func(s *oponn.State) { s.Counts = append(s.Counts, 0) })
		},
		"write-ins that changed their numbers": func(_ *testing.T, l *ledger) {
			l.append(t, noon, oponn.Change{}, l.vote(t, voter(9), voteID(9), "Pie"))
			l.writeIns[0].Number, l.writeIns[1].Number = 2, 1
		},
		"a changed count": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Counts[0]++ })
		},
		"a vote moved from one option to another": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Counts[0], s.Counts[2] = s.Counts[0]-1, s.Counts[2]+1 })
		},
		"a changed count of a write-in": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Counts[4] = 0 })
		},
		"a count too few": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Counts = s.Counts[:4] })
		},
		"a count too many": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Counts = append(s.Counts, 0) })
		},
		"a changed number of voters": func(t *testing.T, l *ledger) {
			l.reseal(t, func(s *oponn.State) { s.Voters++ })
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := countedLedger(t)
			plant(t, l)
			if wrong := l.recount(t); len(wrong) == 0 {
				t.Error("a recount finds nothing")
			}
		})
	}
}

// reseal changes the state in the head, as only somebody with the key can.
func (l *ledger) reseal(t rapid.TB, change func(*oponn.State)) {
	t.Helper()
	s := l.state(t)
	change(&s)
	var err error
	l.head.Sealed, err = s.Seal(l.ballot.Key, l.head.Version)
	wantCode(t, err, "")
}

func TestRecount_CountsTheLastRevisionOfEachVoter(t *testing.T) {
	for name, c := range map[string]struct {
		first, then string
		counts      []uint64
	}{
		"from option to option":   {"1", "2", []uint64{0, 1, 0, 1}},
		"from option to write-in": {"1", "Stew", []uint64{0, 0, 0, 2}},
		"from write-in to option": {"Stew", "1", []uint64{1, 0, 0, 1}},
		"back to the same":        {"Stew", "stew", []uint64{0, 0, 0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			d := lunch()
			d.AllowChange = true
			l := newLedger(t, d, oponn.Window{})
			l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), c.first), l.vote(t, voter(2), voteID(2), "Stew"))
			vote := l.vote(t, voter(1), voteID(3), c.then)
			l.log = append(l.log, oponn.LoggedVote{Tag: vote.Tag, Revision: 2, ID: vote.ID, Position: 3, Version: 3, At: noon, Sealed: vote.Sealed})
			l.head.Version, l.head.Position = 3, 3
			s := oponn.FirstState(lunch(), oponn.Window{})
			s.Voters, s.Counts = 2, c.counts
			var err error
			l.head.Sealed, err = s.Seal(l.ballot.Key, 3)
			wantCode(t, err, "")
			wantAgreement(t, l)
		})
	}
}

func TestRecount_FindsAnyVoteTakenAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := countedLedger(t)
		lost := rapid.IntRange(0, len(l.log)-1).Draw(t, "lost")
		l.log = slices.Delete(l.log, lost, lost+1)
		for i := range l.log { // somebody closes the gap
			l.log[i].Position = uint64(i) + 1
		}
		l.head.Position--
		if len(l.recount(t)) == 0 {
			t.Fatalf("nobody misses vote %d", lost+1)
		}
	})
}
