package storetest

import (
	"testing"

	"github.com/oponn/oponn"
)

// effects are those that break the rules: the store is the last to notice.
func (s suite) effects() {
	for name, spoil := range map[string]func(e *oponn.Effect){
		"a skipped version is refused":                func(e *oponn.Effect) { e.Head.Version++; respell(e) },
		"a version that goes back is refused":         func(e *oponn.Effect) { e.Head.Version -= 2; respell(e) },
		"votes without a new version are refused":     func(e *oponn.Effect) { e.Head.Version--; respell(e) },
		"a gap in the positions is refused":           func(e *oponn.Effect) { e.Logged[1].Position++; e.Head.Position++ },
		"a last position without votes is refused":    func(e *oponn.Effect) { e.Head.Position++ },
		"a vote of another version is refused":        func(e *oponn.Effect) { e.Logged[0].Version-- },
		"a head of another ballot is refused":         func(e *oponn.Effect) { e.Head.Ballot = oponn.NewBallotID() },
		"write-ins that are only counted are refused": func(e *oponn.Effect) { e.Head.WriteIns++ },
		"a voter's revision twice is refused":         func(e *oponn.Effect) { e.Logged[1].Tag = e.Logged[0].Tag },
	} {
		s.test(name, func(t *testing.T, db database) {
			store := db.open(t)
			subject := Create(t, store, Plan{})
			Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
			before := load(t, store, subject.ID)
			batch := subject.Batch(subject.NewVotes(t, 2))
			apply := batch.Apply
			batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
				effect, err := apply(g)
				spoil(&effect)
				return effect, err
			}
			expect(t, AppendOne(store, batch).Err, oponn.CodeInternal)
			expectRecord(t, load(t, store, subject.ID), before)
			subject.Recount(t, store)
		})
	}
}

// respell gives the votes the version of their head.
func respell(e *oponn.Effect) {
	for i := range e.Logged {
		e.Logged[i].Version = e.Head.Version
	}
}
