package oponn_test

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

var closing = oponn.Change{Status: oponn.Closed}

// wantOutcomes checks the code of each outcome; the empty code wants a vote
// that was accepted.
func wantOutcomes(t *testing.T, effect oponn.Effect, want ...oponn.Code) {
	t.Helper()
	if len(effect.Outcomes) != len(want) {
		t.Fatalf("%d outcomes, want %d", len(effect.Outcomes), len(want))
	}
	for i, outcome := range effect.Outcomes {
		wantCode(t, outcome.Err, want[i])
		if outcome.Err != nil && (outcome.Repeat || !reflect.DeepEqual(outcome.Logged, oponn.LoggedVote{})) {
			t.Fatalf("vote %d was refused and logged", i)
		}
	}
}

// wantRepeat checks that the one outcome is the very row of before.
func wantRepeat(t *testing.T, outcome oponn.Outcome, row oponn.LoggedVote) {
	t.Helper()
	wantCode(t, outcome.Err, "")
	if !outcome.Repeat || !reflect.DeepEqual(outcome.Logged, row) {
		t.Fatalf("a repeat got %+v, want %+v", outcome, row)
	}
}

// wantUnmoved checks that an effect leaves everything as it was.
func wantUnmoved(t *testing.T, effect oponn.Effect, before oponn.Head) {
	t.Helper()
	if !reflect.DeepEqual(effect.Head, before) || effect.Logged != nil || effect.Added != nil || effect.Tombstone {
		t.Fatalf("version %d became %+v", before.Version, effect)
	}
}

func TestApplying_AcceptsAVote(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	vote := l.vote(t, voter(1), voteID(1), "2")
	effect := l.append(t, noon.Add(1999).In(time.FixedZone("", 3600)), oponn.Change{}, vote)
	row := oponn.LoggedVote{Tag: vote.Tag, Revision: 1, ID: voteID(1), Position: 1, Version: 2,
		At: noon.Add(time.Microsecond), Sealed: vote.Sealed}
	if !reflect.DeepEqual(effect.Logged, []oponn.LoggedVote{row}) {
		t.Fatalf("logged as %+v, want %+v", effect.Logged, row)
	}
	wantOutcomes(t, effect, "")
	if got := effect.Outcomes[0]; got.Repeat || !reflect.DeepEqual(got.Logged, row) {
		t.Fatalf("answered with %+v", got)
	}
	want := oponn.Head{Ballot: l.ballot.ID, Version: 2, Position: 1, Voters: 1, Sealed: effect.Head.Sealed,
		ExpiresAt: noon.Add(time.Microsecond).AddDate(0, 0, oponn.DefaultRetention)}
	if !reflect.DeepEqual(effect.Head, want) {
		t.Fatalf("the head is %+v", effect.Head)
	}
	l.wantResults(t, "Soup: 0", "Salad: 1", "Noodles: 0")
}

func TestApplying_GivesARepeatTheReceiptOfTheFirst(t *testing.T) {
	for _, choice := range []string{"2", "Stew"} {
		l := newLedger(t, lunch(), oponn.Window{})
		vote := l.vote(t, voter(1), voteID(1), choice)
		effect := l.append(t, noon, oponn.Change{}, vote, vote)
		wantOutcomes(t, effect, "", "")
		first := effect.Outcomes[0].Logged
		wantRepeat(t, effect.Outcomes[1], first)

		before := l.head
		effect = l.append(t, noon.Add(time.Hour), oponn.Change{}, vote)
		wantRepeat(t, effect.Outcomes[0], first)
		wantUnmoved(t, effect, before)

		effect = l.append(t, noon.Add(time.Hour), closing, vote)
		wantRepeat(t, effect.Outcomes[0], first)
		before = l.head
		effect = l.append(t, noon.Add(2*time.Hour), oponn.Change{}, vote)
		wantRepeat(t, effect.Outcomes[0], first)
		wantUnmoved(t, effect, before)
		if l.state(t).Voters != 1 || len(l.log) != 1 {
			t.Fatal("a repeat was counted")
		}
	}
}

func TestApplying_GivesARepeatThePositionOfItsRow(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	votes := make([]oponn.Vote, 0, 20)
	for i := range 10 {
		votes = append(votes, l.vote(t, voter(i), voteID(i), "1"))
	}
	effect := l.append(t, noon, oponn.Change{}, append(votes, votes...)...)
	for i, outcome := range effect.Outcomes {
		row := effect.Logged[outcome.Logged.Position-1]
		if outcome.Repeat != (i >= 10) || row.Tag != votes[i%10].Tag || !reflect.DeepEqual(outcome.Logged, row) {
			t.Fatalf("vote %d got %+v", i, outcome)
		}
	}
}

func TestApplying_RefusesASecondVote(t *testing.T) {
	for name, c := range map[string]struct {
		id     int
		choice string
		want   oponn.Code
	}{
		"with another vote id":                {2, "1", oponn.CodeAlreadyVoted},
		"with another vote id and choice":     {2, "2", oponn.CodeAlreadyVoted},
		"with the vote id for another option": {1, "2", oponn.CodeVoteIDReused},
		"with the vote id for a write-in":     {1, "Stew", oponn.CodeVoteIDReused},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, lunch(), oponn.Window{})
			first, second := l.vote(t, voter(1), voteID(1), "1"), l.vote(t, voter(1), voteID(c.id), c.choice)
			wantOutcomes(t, l.append(t, noon, oponn.Change{}, first, second), "", c.want)
			before := l.head
			effect := l.append(t, noon, oponn.Change{}, second)
			wantOutcomes(t, effect, c.want)
			wantUnmoved(t, effect, before)
			wantOutcomes(t, l.append(t, noon, closing, second), c.want)
			l.wantResults(t, "Soup: 1", "Salad: 0", "Noodles: 0")
		})
	}
}

func TestApplying_LetsTwoVotersHaveOneVoteID(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	effect := l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "1"), l.vote(t, voter(2), voteID(1), "2"))
	wantOutcomes(t, effect, "", "")
	l.wantResults(t, "Soup: 1", "Salad: 1", "Noodles: 0")
}

func TestApplying_LetsTheStoresClockDecide(t *testing.T) {
	opens, closes := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, c := range map[string]struct {
		now    time.Time
		want   oponn.Code
		status oponn.Status
		moved  bool
	}{
		"too early":            {opens.Add(-1), oponn.CodeNotOpen, oponn.Scheduled, false},
		"as it opens":          {opens, "", oponn.Open, true},
		"at the last moment":   {closes.Add(-1), "", oponn.Open, true},
		"as it closes":         {closes, oponn.CodeClosed, oponn.Closed, true},
		"long after it closed": {closes.Add(time.Hour), oponn.CodeClosed, oponn.Closed, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, lunch(), oponn.Window{OpensAt: opens, ClosesAt: closes})
			effect := l.append(t, c.now, oponn.Change{}, l.vote(t, voter(1), voteID(1), "1"))
			wantOutcomes(t, effect, c.want)
			if l.state(t).Status != c.status || (l.head.Version == 2) != c.moved {
				t.Fatalf("is %s in version %d", l.state(t).Status, l.head.Version)
			}
			before := l.head
			wantUnmoved(t, l.append(t, c.now, oponn.Change{}), before)
		})
	}
}

func TestApplying_ClosesForItsOwner(t *testing.T) {
	for name, window := range map[string]oponn.Window{
		"an open ballot":      {},
		"a scheduled ballot":  {OpensAt: noon.Add(time.Hour)},
		"before its time":     {ClosesAt: noon.Add(time.Hour)},
		"at its closing time": {ClosesAt: noon},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, lunch(), window)
			vote := l.vote(t, voter(1), voteID(1), "1")
			wantOutcomes(t, l.append(t, noon.Add(999), closing, vote), oponn.CodeClosed)
			s := l.state(t) // in whole microseconds
			if s.Status != oponn.Closed || s.ClosedAt != noon || s.ClosesAt != window.ClosesAt || l.head.Version != 2 {
				t.Fatalf("became %+v in version %d", s, l.head.Version)
			}
			before := l.head
			wantUnmoved(t, l.append(t, noon.Add(2*time.Hour), closing, vote), before)
		})
	}
}

func TestApplying_ChangesNothingForAnyOtherStatus(t *testing.T) {
	for _, status := range []oponn.Status{"", oponn.Scheduled, "nonsense"} {
		l := newLedger(t, lunch(), oponn.Window{OpensAt: noon.Add(time.Hour)})
		before := l.head
		wantUnmoved(t, l.append(t, noon, oponn.Change{Status: status}), before)
	}
}

func TestApplying_TellsNobodyWhoCameFirstWithinABatch(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	var votes []oponn.Vote
	for i := range 50 {
		votes = append(votes, l.vote(t, voter(i), voteID(i), "1"))
	}
	forth := l.append(t, noon, oponn.Change{}, votes...).Logged
	if !slices.IsSortedFunc(forth, func(a, b oponn.LoggedVote) int { return bytes.Compare(a.Tag[:], b.Tag[:]) }) {
		t.Error("rows are not in the order of tags")
	}
	slices.Reverse(votes)
	back := newLedger(t, lunch(), oponn.Window{}).append(t, noon, oponn.Change{}, votes...).Logged
	if !reflect.DeepEqual(forth, back) {
		t.Error("the log tells in what order votes came")
	}
}

func TestApplying_MakesOneOptionOfEverySpelling(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	effect := l.append(t, noon, oponn.Change{},
		l.vote(t, voter(1), voteID(1), "Stew"), l.vote(t, voter(2), voteID(2), " ＳＴＥＷ "), l.vote(t, voter(3), voteID(3), "SOUP"))
	wantOutcomes(t, effect, "", "", "")
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(4), voteID(4), "stew"))
	l.wantResults(t, "Soup: 1", "Salad: 0", "Noodles: 0", "Stew: 3")
}

func TestApplying_MakesOneOptionOfWhatTwoInstancesHearAtOnce(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	here, there := l.vote(t, voter(1), voteID(1), "Stew"), l.vote(t, voter(2), voteID(2), "STEW")
	apply := l.ballot.Applying([]oponn.Vote{there}, oponn.Change{}, oponn.Known{}) // knows of nothing yet
	l.append(t, noon, oponn.Change{}, here)
	effect, err := apply(l.ground(noon, 0, []oponn.Vote{there}))
	wantCode(t, err, "")
	if len(effect.Added) != 0 || !slices.Equal(effect.WriteIns, l.known(t, 1)) {
		t.Errorf("added %v, learned %v", effect.Added, effect.WriteIns)
	}
	l.commit(effect)
	l.wantResults(t, "Soup: 0", "Salad: 0", "Noodles: 0", "Stew: 2")
}

func TestApplying_HasRoomForSoManyWriteIns(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	var votes []oponn.Vote
	for i := range oponn.MaxWriteIns + 1 {
		votes = append(votes, l.vote(t, voter(i), voteID(i), "my own "+strconv.Itoa(i)))
	}
	effect := l.append(t, noon, oponn.Change{}, votes...)
	wantFields(t, effect.Outcomes[oponn.MaxWriteIns].Err, "write_in: too_many")
	if len(effect.Added) != 200 || len(effect.Logged) != 200 || l.head.Voters != 200 || l.head.WriteIns != 200 {
		t.Fatalf("%d write-ins of %d voters were taken", len(effect.Added), l.head.Voters)
	}
	before := l.head
	effect = l.append(t, noon, oponn.Change{}, votes[oponn.MaxWriteIns])
	wantOutcomes(t, effect, oponn.CodeInvalid)
	wantUnmoved(t, effect, before)
	wantOutcomes(t, l.append(t, noon, oponn.Change{},
		l.vote(t, voter(900), voteID(1), "MY OWN 7"), l.vote(t, voter(901), voteID(2), "soup"),
		l.vote(t, voter(oponn.MaxWriteIns), voteID(3), "2")), "", "", "")
	results := l.results(t)
	if results[0] != "Soup: 1" || results[1] != "Salad: 1" || results[3+7] != "my own 7: 2" || len(results) != 203 {
		t.Fatalf("the tally is %q", results)
	}
}

func TestApplying_LeavesABatchOutThatStandsOnDamagedGround(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	vote := l.vote(t, voter(1), voteID(1), "Stew")
	old := l.head.Sealed
	l.append(t, noon, oponn.Change{}, vote)
	for name, spoil := range map[string]func(*oponn.Ground){
		"an old state under a new version": func(g *oponn.Ground) { g.Head.Sealed = old },
		"a version put forward":            func(g *oponn.Ground) { g.Head.Version++ },
		"an altered state":                 func(g *oponn.Ground) { g.Head.Sealed = alter(g.Head.Sealed) },
		"an altered write-in":              func(g *oponn.Ground) { g.WriteIns[0].Sealed = alter(g.WriteIns[0].Sealed) },
	} {
		t.Run(name, func(t *testing.T) {
			ground := l.ground(noon, 0, []oponn.Vote{vote})
			spoil(&ground)
			_, err := l.ballot.Applying([]oponn.Vote{vote}, oponn.Change{}, oponn.Known{})(ground)
			wantCode(t, err, oponn.CodeInternal)
		})
	}
}

func TestApplying_FailsOnlyTheVoteWhoseRowIsDamaged(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	vote := l.vote(t, voter(1), voteID(1), "1")
	l.append(t, noon, oponn.Change{}, vote)
	l.log[0].Sealed = alter(l.log[0].Sealed)
	wantOutcomes(t, l.append(t, noon, oponn.Change{}, vote, l.vote(t, voter(2), voteID(2), "2")), oponn.CodeInternal, "")
	l.wantResults(t, "Soup: 1", "Salad: 1", "Noodles: 0")
}
