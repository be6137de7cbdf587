package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestOpenWriteIns_OpensWhatAVoterWroteIn(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), " Stew "), l.vote(t, voter(2), voteID(2), "Pie"))
	got := l.known(t, 2)
	want := []oponn.WriteIn{
		{Number: 1, Option: oponn.Option{ID: l.ballot.Key.WriteInID("stew"), Label: "Stew", WriteIn: true}},
		{Number: 2, Option: oponn.Option{ID: l.ballot.Key.WriteInID("pie"), Label: "Pie", WriteIn: true}},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("opened as %v, want %v", got, want)
	}
}

func TestOpenWriteIns_RefusesALabelThatIsNotTheOptions(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "Stew"), l.vote(t, voter(2), voteID(2), "Pie"))
	stew, pie := l.writeIns[0], l.writeIns[1]
	for name, w := range map[string]oponn.SealedWriteIn{
		"another's label": {Number: 1, ID: stew.ID, Sealed: pie.Sealed},
		"altered":         {Number: 1, ID: stew.ID, Sealed: alter(stew.Sealed)},
		"nothing":         {Number: 1, ID: stew.ID},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := oponn.OpenWriteIns(l.ballot.Key, []oponn.SealedWriteIn{pie, w})
			wantCode(t, err, oponn.CodeInternal)
		})
	}
}
