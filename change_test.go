package oponn_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func at(t time.Time) *time.Time { return &t }

func words(s string) *string { return &s }

// wantRefused checks that a change was refused and nothing moved.
func wantRefused(t *testing.T, l *ledger, change oponn.Change, code oponn.Code) error {
	t.Helper()
	before := l.head
	effect := l.append(t, noon, change)
	wantCode(t, effect.Refused, code)
	wantUnmoved(t, effect, before)
	return effect.Refused
}

func TestChange_MovesTheWindow(t *testing.T) {
	for name, c := range map[string]struct {
		window oponn.Window
		first  oponn.Change
		change oponn.Change
		status oponn.Status
		closes time.Time
	}{
		"close now":                {change: closing, status: oponn.Closed},
		"open now what is planned": {window: oponn.Window{OpensAt: noon.Add(time.Hour)}, change: oponn.Change{Status: oponn.Open}, status: oponn.Open},
		"open again":               {first: closing, change: oponn.Change{Status: oponn.Open}, status: oponn.Open},
		"open again after the plan": {window: oponn.Window{ClosesAt: noon}, change: oponn.Change{Status: oponn.Open},
			status: oponn.Open},
		"open again with a new plan": {first: closing, change: oponn.Change{Status: oponn.Open, ClosesAt: at(noon.Add(time.Hour))},
			status: oponn.Open, closes: noon.Add(time.Hour)},
		"extend": {window: oponn.Window{ClosesAt: noon.Add(time.Minute)}, change: oponn.Change{ClosesAt: at(noon.Add(time.Hour))},
			status: oponn.Open, closes: noon.Add(time.Hour)},
		"never close": {window: oponn.Window{ClosesAt: noon.Add(time.Minute)}, change: oponn.Change{ClosesAt: at(time.Time{})}, status: oponn.Open},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, lunch(), c.window)
			if c.first.Status != "" {
				l.append(t, noon, c.first)
			}
			before := l.head.Version
			effect := l.append(t, noon, c.change)
			wantCode(t, effect.Refused, "")
			if l.head.Version != before+1 {
				t.Errorf("version %d follows %d", l.head.Version, before)
			}
			s := l.state(t)
			if s.Status != c.status || !s.ClosesAt.Equal(c.closes) || (s.Status == oponn.Closed) != !s.ClosedAt.IsZero() || s.OpensAt.After(noon) {
				t.Errorf("became %+v", s)
			}
			before = l.head.Version
			if l.append(t, noon, c.change); l.head.Version != before {
				t.Error("the same change again is another version")
			}
		})
	}
}

func TestChange_RefusesWhatCannotBe(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{OpensAt: noon.Add(time.Hour)})
	wantFields(t, wantRefused(t, l, oponn.Change{ClosesAt: at(noon.Add(-time.Second))}, oponn.CodeInvalid), "closes_at: past")
	wantFields(t, wantRefused(t, l, oponn.Change{ClosesAt: at(noon.Add(time.Minute))}, oponn.CodeInvalid), "closes_at: before_opening")
	wantFields(t, wantRefused(t, l, oponn.Change{Status: oponn.Closed, ClosesAt: at(time.Time{})}, oponn.CodeInvalid), "closes_at: conflict")
	wantFields(t, wantRefused(t, l, oponn.Change{Question: words(" "), Options: []string{"a"}}, oponn.CodeInvalid), "question: required", "options: too_few")
	wantRefused(t, l, oponn.Change{WriteIn: &oponn.Showing{Option: "wAAAAAAAAAAA", Hidden: true}}, oponn.CodeNotFound)
	wantFields(t, wantRefused(t, l, oponn.Change{WriteIn: &oponn.Showing{Option: "1", Hidden: true}}, oponn.CodeInvalid), "hidden: not_a_write_in")
	l.append(t, noon, closing)
	wantRefused(t, l, oponn.Change{ClosesAt: at(noon.Add(2 * time.Hour))}, oponn.CodeClosed)
}

func TestChange_ARefusedOneHindersNoVote(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	effect := l.append(t, noon, oponn.Change{ClosesAt: at(noon.Add(-time.Hour))}, l.vote(t, voter(1), voteID(1), "1"))
	wantCode(t, effect.Refused, oponn.CodeInvalid)
	wantOutcomes(t, effect, "")
}

// redefine makes the ledger's ballot the one that was edited.
func (l *ledger) redefine(effect oponn.Effect) {
	ballot := *l.ballot
	ballot.Definition = *effect.Edited
	l.ballot = &ballot
}

func TestChange_EditsUntilTheFirstVote(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	stale := l.ballot
	effect := l.append(t, noon, oponn.Change{Question: words(" Dinner? "), Options: []string{"Pie", "Salad", "soup"}})
	wantCode(t, effect.Refused, "")
	opened, err := oponn.OpenBallot(oponn.Record{Ballot: l.ballot.ID, Definition: effect.Definition}, l.ballot.Key)
	wantCode(t, err, "")
	if d := opened.Definition; d.Question != "Dinner?" || d.Revision != 1 || l.state(t).Definition != 1 {
		t.Errorf("became %+v", d)
	}
	// Options keep their ids when their labels stay, and a new one has its own.
	if got, want := opened.Definition.Options(), []oponn.Option{{ID: "4", Label: "Pie"}, {ID: "2", Label: "Salad"}, {ID: "1", Label: "soup"}}; !slices.Equal(got, want) {
		t.Errorf("options %v, want %v", got, want)
	}
	_, err = stale.Applying(nil, oponn.Change{}, oponn.Known{})(l.ground(noon, 0, nil))
	wantCode(t, err, oponn.CodeBusy)
	l.redefine(effect)
	if _, err := l.ballot.Choose([]oponn.OptionID{"3"}, "", nil); oponn.CodeOf(err) != oponn.CodeInvalid {
		t.Errorf("an option that was taken away can be chosen: %v", err)
	}
	effect = l.append(t, noon, oponn.Change{Options: []string{"Noodles", "Salad"}})
	if got := effect.Edited.Options()[0].ID; got != "5" {
		t.Errorf("an option that came back has the id %s", got)
	}
	l.redefine(effect)
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "5"))
	l.wantResults(t, "Noodles: 1", "Salad: 0")
	wantFields(t, wantRefused(t, l, oponn.Change{Question: words("Other?")}, oponn.CodeInvalid), "question: has_votes")
	wantAgreement(t, l)
}

func TestChange_HidesAndApprovesWriteIns(t *testing.T) {
	d := lunch()
	d.WriteIns = oponn.WriteInsModerated
	l := newLedger(t, d, oponn.Window{})
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "Stew"), l.vote(t, voter(2), voteID(2), "Pie"))
	all := l.known(t, 2)
	look := func(o oponn.Onlooker) (labels []string) {
		snapshot := oponn.Snapshot{Ballot: l.ballot, State: l.state(t), WriteIns: all}
		for _, r := range snapshot.For(o)[3:] {
			labels = append(labels, r.Option.Label+":"+string(r.Standing))
		}
		return labels
	}
	want := func(anybody, owner []string) {
		t.Helper()
		if got := look(oponn.Onlooker{}); !slices.Equal(got, anybody) {
			t.Errorf("anybody sees %q, want %q", got, anybody)
		}
		if got := look(oponn.Onlooker{Owner: true}); !slices.Equal(got, owner) {
			t.Errorf("the owner sees %q, want %q", got, owner)
		}
	}
	show := func(n int, hidden bool) {
		t.Helper()
		wantCode(t, l.append(t, noon, oponn.Change{WriteIn: &oponn.Showing{Option: all[n].Option.ID, Hidden: hidden}}).Refused, "")
	}
	want(nil, []string{"Stew:pending", "Pie:pending"})
	show(1, false)
	want([]string{"Pie:"}, []string{"Stew:pending", "Pie:"})
	show(1, true)
	show(0, false)
	want([]string{"Stew:", ":hidden"}, []string{"Stew:", "Pie:hidden"})
	before := l.head
	wantUnmoved(t, l.append(t, noon, oponn.Change{WriteIn: &oponn.Showing{Option: all[1].Option.ID, Hidden: true}}), before)
	wantAgreement(t, l)
}

func TestChange_Deletes(t *testing.T) {
	l := newLedger(t, lunch(), oponn.Window{})
	votes := []oponn.Vote{l.vote(t, voter(1), voteID(1), "1")}
	effect, err := l.ballot.Applying(votes, oponn.Change{Delete: true}, oponn.Known{})(l.ground(noon, 0, votes))
	wantCode(t, err, "")
	if !effect.Tombstone {
		t.Error("no tombstone")
	}
	wantOutcomes(t, effect, oponn.CodeGone)
}

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	d := lunch()
	d.RetentionDays = 7
	l := newLedger(t, d, oponn.Window{})
	want := func(what string, want time.Time) {
		t.Helper()
		if !l.head.ExpiresAt.Equal(want) {
			t.Errorf("%s: expires at %v, want %v", what, l.head.ExpiresAt, want)
		}
	}
	l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(1), "Stew"))
	want("a vote", noon.Add(7*day))
	l.append(t, noon.Add(day), oponn.Change{ClosesAt: at(noon.Add(30 * day))})
	want("a plan", noon.Add(37*day))
	l.append(t, noon.Add(2*day), closing)
	want("closing", noon.Add(9*day))
	l.append(t, noon.Add(3*day), oponn.Change{WriteIn: &oponn.Showing{Option: l.known(t, 1)[0].Option.ID, Hidden: true}})
	want("hiding", noon.Add(9*day))
	purge := oponn.Purging(l.ballot.ID).Apply
	for now, gone := range map[time.Time]bool{noon.Add(9*day - 1): false, noon.Add(9 * day): true} {
		effect, err := purge(l.ground(now, 1, nil))
		if wantCode(t, err, ""); effect.Tombstone != gone {
			t.Errorf("at %v purged: %v", now, effect.Tombstone)
		}
	}
	l.append(t, noon.Add(4*day), oponn.Change{Status: oponn.Open})
	want("opening again", noon.Add(37*day))
}
