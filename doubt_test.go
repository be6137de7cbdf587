package oponn

import "testing"

func TestDoubt(t *testing.T) {
	var d Doubt
	plain, codes := []Batch{{}}, []Batch{{}, {Codes: true}}
	if d.Looks(plain) {
		t.Error("it looks without reason")
	}
	if !d.Looks(codes) {
		t.Error("codes are not looked for")
	}
	d.Raise()
	looked := 0
	for d.Looks(plain) {
		looked++
	}
	if looked != doubtful {
		t.Errorf("after an earlier vote %d transactions look, want %d", looked, doubtful)
	}
	if d.Looks(plain) {
		t.Error("doubt doesn't end")
	}
}

func TestBatch_Takes(t *testing.T) {
	batch := Batch{Votes: make([]Vote, 2)}
	for name, test := range map[string]struct {
		outcomes []Outcome
		want     bool
	}{
		"all":      {[]Outcome{{}, {Repeat: true}}, true},
		"not one":  {[]Outcome{{}, {Err: Errorf(CodeClosed, "Too late.")}}, false},
		"not told": {nil, false},
	} {
		if got := batch.Takes(Effect{Outcomes: test.outcomes}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
