package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestPrepare_NamesTheVoterByATagOfTheBallot(t *testing.T) {
	lunch, dinner := newLedger(t, lunch(), oponn.Window{}), newLedger(t, oponn.Definition{Question: "Dinner?", Labels: numbered(2)}, oponn.Window{})
	first, second := lunch.vote(t, voter(1), voteID(1), "1"), lunch.vote(t, voter(1), voteID(2), "2")
	if first.Tag != second.Tag {
		t.Error("one voter has two tags on a ballot")
	}
	if first.Tag == dinner.vote(t, voter(1), voteID(1), "1").Tag {
		t.Error("a voter can be followed from ballot to ballot")
	}
	if first.Tag == lunch.vote(t, voter(2), voteID(1), "1").Tag {
		t.Error("two voters have one tag")
	}
}

func TestReceipt_TellsWhereAVoteIsAndNotWhatItIs(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	logged := l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "1")).Logged[0]
	first, again := l.ballot.Receipt(logged, false), l.ballot.Receipt(logged, true)
	if first.VoteID != voteID(1) || first.Version != 2 || first.At != noon || first.Repeat || !again.Repeat {
		t.Errorf("the receipt is %+v", first)
	}
	if again.Repeat = false; again != first {
		t.Errorf("a repeat gets %+v, not %+v", again, first)
	}
	tag, revision, err := l.ballot.Key.ReadLocator(first.Locator)
	wantCode(t, err, "")
	if tag != logged.Tag || revision != 1 {
		t.Errorf("the locator leads to %x, revision %d", tag, revision)
	}
}
