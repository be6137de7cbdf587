package oponn_test

import (
	"slices"
	"testing"

	"github.com/oponn/oponn"
)

func TestSnapshot_ResultsShowWriteInsAfterTheOwnersOptions(t *testing.T) {
	stew := oponn.Option{ID: "wAAAAAAAAAAE", Label: "Stew", WriteIn: true}
	pie := oponn.Option{ID: "wAAAAAAAAAAI", Label: "Pie", WriteIn: true}
	options := append(lunch().Options(), stew, pie)
	snapshot := oponn.Snapshot{
		Ballot:   openBallot(t, lunch()),
		WriteIns: []oponn.WriteIn{{Number: 1, Option: stew}, {Number: 2, Option: pie}},
	}
	for name, counts := range map[string][]uint64{
		"all":                               {3, 0, 1, 5, 7},
		"not those the tally is not yet at": {3, 0, 1, 5},
		"not those without a label yet":     {3, 0, 1, 5, 7, 9},
		"none before the first is counted":  {3, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot.State.Counts = counts
			var want []oponn.Result
			for i := range min(len(counts), len(options)) {
				want = append(want, oponn.Result{Option: options[i], Votes: counts[i]})
			}
			if got := snapshot.Results(); !slices.Equal(got, want) {
				t.Fatalf("shown are %v, want %v", got, want)
			}
		})
	}
}
