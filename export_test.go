package oponn_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// shelf is a log that is read a few rows at a time.
type shelf struct {
	log  []oponn.LoggedVote
	page int
	fail error
}

func (s shelf) VotesByTag(_ context.Context, _ oponn.BallotID, after oponn.VoterTag, revision uint32) ([]oponn.LoggedVote, error) {
	byTag := func(a, b oponn.LoggedVote) int {
		return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.Revision, b.Revision))
	}
	rows := slices.SortedFunc(slices.Values(s.log), byTag)
	for len(rows) > 0 && byTag(rows[0], oponn.LoggedVote{Tag: after, Revision: revision}) <= 0 {
		rows = rows[1:]
	}
	return rows[:min(s.page, len(rows))], s.fail
}

func (l *ledger) snapshot(t rapid.TB) oponn.Snapshot {
	t.Helper()
	return oponn.Snapshot{Ballot: l.ballot, Version: l.head.Version, State: l.state(t), WriteIns: l.known(t, len(l.writeIns))}
}

// exported returns all votes of an export, each with the ids of its choices
// joined.
func exported(t rapid.TB, e *oponn.Export) (choices []string, votes []oponn.AnonymousVote) {
	t.Helper()
	wantCode(t, e.Each(context.Background(), func(v oponn.AnonymousVote) error {
		var ids []string
		for _, id := range v.Choices {
			ids = append(ids, string(id))
		}
		choices, votes = append(choices, strings.Join(ids, " ")), append(votes, v)
		return nil
	}), "")
	slices.Sort(choices)
	return choices, votes
}

func TestExport_IsTheTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawRules(t)
		d.Protection = oponn.ProtectedByBrowser
		l := newLedger(t, d, oponn.Window{})
		last := map[oponn.VoterTag]string{} // the sealed choice of each voter's last vote
		now := noon
		cast := func() {
			for _, outcome := range l.append(t, now, oponn.Change{}, drawVotes(t, l)...).Outcomes {
				if outcome.Err == nil && !outcome.Repeat {
					last[outcome.Logged.Tag] = string(outcome.Logged.Sealed)
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes later")) * time.Minute)
		}
		for range rapid.IntRange(0, 6).Draw(t, "batches") {
			cast()
		}
		snapshot := l.snapshot(t)
		want := map[oponn.OptionID]uint64{}
		for _, r := range snapshot.Results() {
			if r.Votes > 0 {
				want[r.Option.ID] = r.Votes
			}
		}
		cast() // beside the export, which does not have it
		e, err := oponn.NewExport(context.Background(), snapshot, shelf{log: l.log, page: rapid.IntRange(1, 5).Draw(t, "page")})
		wantCode(t, err, "")
		_, votes := exported(t, e)
		if uint64(len(votes)) != snapshot.State.Voters {
			t.Fatalf("%d votes of %d voters", len(votes), snapshot.State.Voters)
		}
		for _, v := range votes {
			for _, id := range v.Choices {
				want[id]--
			}
		}
		for id, rest := range want {
			if rest != 0 {
				t.Fatalf("the votes for %s differ from the tally by %d", id, int64(rest))
			}
		}
		wantPeriods(t, votes)
	})
}

// drawVotes draws votes of few voters, who change their minds.
func drawVotes(t *rapid.T, l *ledger) []oponn.Vote {
	var votes []oponn.Vote
	for range rapid.IntRange(0, 25).Draw(t, "votes") {
		choice, _ := drawChoice(t, l)
		votes = append(votes, l.ballot.Prepare(voter(rapid.IntRange(0, 30).Draw(t, "voter")), oponn.NewVoteID(), choice))
	}
	return votes
}

// wantPeriods checks that periods have ten votes or more, and don't overlap.
func wantPeriods(t rapid.TB, votes []oponn.AnonymousVote) {
	t.Helper()
	sizes, until := map[time.Time]int{}, map[time.Time]time.Time{}
	for _, v := range votes {
		sizes[v.From]++
		if before, there := until[v.From]; there && !before.Equal(v.Until) {
			t.Fatalf("one period ends at %v and at %v", before, v.Until)
		}
		until[v.From] = v.Until
	}
	if _, none := sizes[time.Time{}]; none {
		if len(sizes) > 1 || len(votes) >= oponn.MinPeriod {
			t.Fatalf("some votes have no period: %v", sizes)
		}
		return
	}
	var end time.Time
	for _, from := range slices.SortedFunc(mapKeys(sizes), time.Time.Compare) {
		if sizes[from] < oponn.MinPeriod || from.Before(end) || !from.Equal(from.Truncate(time.Hour)) {
			t.Fatalf("a period of %d votes from %v, after one until %v", sizes[from], from, end)
		}
		end = until[from]
	}
}

func mapKeys[V any](m map[time.Time]V) func(func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestExport_SaysNothingOfWhoAndWhen(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	for i := range 200 { // the first half votes soup, in the first hour
		choice := "1"
		if i >= 100 {
			choice = "2"
		}
		l.append(t, noon.Add(time.Duration(i/100)*time.Hour), oponn.Change{}, l.vote(t, voter(i), voteID(i), choice))
	}
	e, err := oponn.NewExport(context.Background(), l.snapshot(t), shelf{log: l.log, page: oponn.VotesPage})
	wantCode(t, err, "")
	var orders []string
	for range 2 {
		var order []string
		wantCode(t, e.Each(context.Background(), func(v oponn.AnonymousVote) error {
			order = append(order, string(v.Choices[0]))
			return nil
		}), "")
		if slices.IsSorted(order) {
			t.Error("votes come in the order in which they were cast")
		}
		orders = append(orders, strings.Join(order, ""))
	}
	if orders[0] == orders[1] {
		t.Error("two exports have one order")
	}
}

func TestExport_Refuses(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	for i := range 20 {
		l.append(t, noon, oponn.Change{}, l.vote(t, voter(i), voteID(i), "1"))
	}
	_, err := oponn.NewExport(context.Background(), l.snapshot(t), shelf{log: l.log[1:], page: 7})
	wantCode(t, err, oponn.CodeBusy) // a log that is swept
	broken := errors.New("broken")
	if _, err := oponn.NewExport(context.Background(), l.snapshot(t), shelf{log: l.log, page: 7, fail: broken}); !errors.Is(err, broken) {
		t.Errorf("an error of the log became %v", err)
	}
	e, err := oponn.NewExport(context.Background(), l.snapshot(t), shelf{log: l.log, page: 7})
	wantCode(t, err, "")
	if err := e.Each(context.Background(), func(oponn.AnonymousVote) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an error of the reader became %v", err)
	}
	l.log[3].Sealed = bytes.Clone(l.log[4].Sealed)
	wantCode(t, e.Each(context.Background(), func(oponn.AnonymousVote) error { return nil }), oponn.CodeInternal)
}

func TestSnapshot_KeptUntil(t *testing.T) {
	day := 24 * time.Hour
	anybody, owner := oponn.Onlooker{}, oponn.Onlooker{Owner: true}
	for name, tt := range map[string]struct {
		visibility    oponn.Visibility
		state         oponn.State
		theirs, owner time.Time
	}{
		"closed":       {oponn.VisibleToOwner, oponn.State{Status: oponn.Closed, ClosedAt: noon, ClosesAt: noon.Add(day)}, noon.Add(7 * day), noon.Add(7 * day)},
		"to be closed": {oponn.VisibleToOwner, oponn.State{Status: oponn.Open, ClosesAt: noon.Add(day)}, noon.Add(8 * day), noon.Add(8 * day)},
		"for all":      {oponn.VisibleAlways, oponn.State{Status: oponn.Open}, noon.Add(9 * day), noon.Add(9 * day)},
		"hidden":       {oponn.VisibleToOwner, oponn.State{Status: oponn.Open}, time.Time{}, noon.Add(9 * day)},
	} {
		b := openBallot(t, oponn.Definition{Question: "?", Labels: []string{"a", "b"}, Rules: oponn.Rules{RetentionDays: 7, Visibility: tt.visibility}})
		s := oponn.Snapshot{Ballot: b, State: tt.state, ExpiresAt: noon.Add(9 * day)}
		if got := s.KeptUntil(anybody); !got.Equal(tt.theirs) {
			t.Errorf("%s: kept until %v, want %v", name, got, tt.theirs)
		}
		if got := s.KeptUntil(owner); !got.Equal(tt.owner) {
			t.Errorf("%s: kept until %v for the owner, want %v", name, got, tt.owner)
		}
	}
}
