package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// withWriteIns is a plan that allows write-ins.
var withWriteIns = Plan{Definition: oponn.Definition{Question: "Where to?", Labels: []string{"sea", "hills"}, AllowWriteIn: true}}

func (s *Subject) writeInVote(t TB, text string) oponn.Vote {
	return s.Prepare(oponn.NewVoterID(), oponn.NewVoteID(), s.WritingIn(t, text))
}

func (s suite) writeIns() {
	s.test("a new text becomes an option that is kept", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, withWriteIns)
		effect := Insist(t, store, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon"), subject.writeInVote(t, "The  Moon"), subject.NewVote(t, 0)}))
		record, _ := subject.Recount(t, store)
		opened, err := oponn.OpenWriteIns(subject.Key, record.WriteIns)
		expect(t, err, "")
		if len(opened) != 1 || opened[0].Option.Label != "the moon" || opened[0].Number != 1 {
			t.Errorf("kept %+v", opened)
		}
		if counts := effect.State.Counts; len(counts) != 3 || counts[2] != 2 {
			t.Errorf("counts %v", counts)
		}
	})
	s.test("two instances that add the same text make one option", func(t *testing.T, db database) {
		one, two := db.open(t), db.open(t)
		subject := Create(t, one, withWriteIns)
		Insist(t, one, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon")}))
		effect := Insist(t, two, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon")}))
		if len(effect.Added) != 0 || len(effect.WriteIns) != 1 {
			t.Errorf("added %+v, learned %+v", effect.Added, effect.WriteIns)
		}
		if record, _ := subject.Recount(t, one); record.Head.WriteIns != 1 {
			t.Errorf("the head is %+v", record.Head)
		}
	})
	s.test("two instances that add different texts make two options", func(t *testing.T, db database) {
		one, two := db.open(t), db.open(t)
		subject := Create(t, one, withWriteIns)
		Insist(t, one, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon")}))
		effect := Insist(t, two, subject.Batch([]oponn.Vote{subject.writeInVote(t, "mars")}))
		if len(effect.Added) != 1 || effect.Added[0].Number != 2 || len(effect.WriteIns) != 2 {
			t.Errorf("added %+v, learned %+v", effect.Added, effect.WriteIns)
		}
		subject.Recount(t, one)
	})
	s.test("a batch is given only those that it does not know", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, withWriteIns)
		var known []oponn.WriteIn
		for i := range 5 {
			effect := Insist(t, store, subject.Batch([]oponn.Vote{subject.writeInVote(t, fmt.Sprint("place ", i))}, known...))
			if len(effect.WriteIns) != 1 || effect.WriteIns[0].Number != i+1 {
				t.Fatalf("learned %+v", effect.WriteIns)
			}
			known = append(known, effect.WriteIns...)
		}
		behind := subject.Batch(nil, known[:2]...)
		apply, given := behind.Apply, 0
		behind.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			given = len(g.WriteIns)
			return apply(g)
		}
		if effect := Insist(t, store, behind); given != 3 || len(effect.WriteIns) != 3 || effect.WriteIns[0].Number != 3 {
			t.Errorf("given %d, learned %+v", given, effect.WriteIns)
		}
	})
	s.test("a vote for one that is known is counted for it", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, withWriteIns)
		known := Insist(t, store, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon")})).WriteIns
		choice, err := subject.Choose([]oponn.OptionID{known[0].Option.ID}, "", known)
		expect(t, err, "")
		effect := Insist(t, store, subject.Batch([]oponn.Vote{subject.Prepare(oponn.NewVoterID(), oponn.NewVoteID(), choice)}, known...))
		if effect.State.Counts[2] != 2 {
			t.Errorf("counts %v", effect.State.Counts)
		}
		subject.Recount(t, store)
	})
	s.test("two hundred long ones fit, and no more", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, withWriteIns)
		var votes []oponn.Vote
		for i := range oponn.MaxWriteIns + 1 {
			votes = append(votes, subject.writeInVote(t, fmt.Sprintf("%03d%s", i, strings.Repeat("𓆣", 197))))
		}
		effect := Insist(t, store, subject.Batch(votes))
		expect(t, effect.Outcomes[oponn.MaxWriteIns].Err, oponn.CodeInvalid)
		record, log := subject.Recount(t, store)
		if record.Head.WriteIns != oponn.MaxWriteIns || len(log) != oponn.MaxWriteIns {
			t.Errorf("%d votes, head %+v", len(log), record.Head)
		}
	})
}
