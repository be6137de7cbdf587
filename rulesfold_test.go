package oponn_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// ruled is the fold under all rules of voting, told a second time and without
// any cryptography.
type ruled struct {
	definition oponn.Definition
	open       bool
	codes      map[int]bool // voters who have a code
	votes      map[int][]ruledVote
}

// ruledVote is one revision of a voter's.
type ruledVote struct {
	id      oponn.VoteID
	choices []string // sorted labels
	row     oponn.LoggedVote
}

func drawRules(t *rapid.T) oponn.Definition {
	d := lunch()
	if rapid.Bool().Draw(t, "several") {
		d.Choices = oponn.Bounds{Min: rapid.IntRange(1, 2).Draw(t, "min"), Max: rapid.IntRange(2, 4).Draw(t, "max")}
	}
	if rapid.Bool().Draw(t, "codes") {
		d.Protection = oponn.ProtectedByCodes
	}
	d.AllowChange = rapid.Bool().Draw(t, "change")
	return d
}

// drawChoice draws options and perhaps a write-in, as many as the rules allow,
// and returns the choice with its labels.
func drawChoice(t *rapid.T, l *ledger) (oponn.Choice, []string) {
	bounds := l.ballot.Definition.Range()
	n := rapid.IntRange(bounds.Min, bounds.Max).Draw(t, "choices")
	all := []string{"1", "2", "3", "stew"}
	labels := map[string]string{"1": "Soup", "2": "Salad", "3": "Noodles", "stew": "stew", "pie": "pie"}
	known := l.known(t, len(l.writeIns))
	for _, w := range known {
		if w.Option.Label == "pie" {
			all = append(all, string(w.Option.ID))
			labels[string(w.Option.ID)] = "pie"
		}
	}
	drawn := rapid.Permutation(all).Draw(t, "order")[:n]
	var ids []oponn.OptionID
	text := ""
	var chosen []string
	for _, id := range drawn {
		chosen = append(chosen, labels[id])
		if id == "stew" {
			text = rapid.SampledFrom([]string{"stew", " Stew"}).Draw(t, "text")
			continue
		}
		ids = append(ids, oponn.OptionID(id))
	}
	if text == "" && len(chosen) < bounds.Max && rapid.Bool().Draw(t, "pie") && !slices.Contains(chosen, "pie") {
		text, chosen = "pie", append(chosen, "pie")
	}
	choice, err := l.ballot.Choose(ids, text, known)
	wantCode(t, err, "")
	slices.Sort(chosen)
	return choice, chosen
}

// take returns what must become of a vote.
func (m *ruled) take(voter int, id oponn.VoteID, chosen []string) (code oponn.Code, repeat bool) {
	past := m.votes[voter]
	for _, v := range past {
		if v.id == id {
			if !slices.Equal(v.choices, chosen) {
				return oponn.CodeVoteIDReused, false
			}
			return "", true
		}
	}
	coded := m.definition.Protection == oponn.ProtectedByCodes
	switch {
	case coded && !m.codes[voter], coded && len(past) > 0 && !m.definition.AllowChange:
		return oponn.CodeCodeRefused, false
	case len(past) > 0 && !m.definition.AllowChange:
		return oponn.CodeAlreadyVoted, false
	case !m.open:
		return oponn.CodeClosed, false
	case len(past) > oponn.MaxChanges:
		return oponn.CodeAlreadyVoted, false
	}
	m.votes[voter] = append(past, ruledVote{id: id, choices: chosen})
	return "", false
}

// tally counts every voter's last vote.
func (m *ruled) tally() map[string]uint64 {
	tally := map[string]uint64{}
	for _, votes := range m.votes {
		for _, label := range votes[len(votes)-1].choices {
			tally[label]++
		}
	}
	return tally
}

func drawSwitch(t *rapid.T) oponn.Change {
	switch rapid.IntRange(0, 9).Draw(t, "switch") {
	case 0:
		return closing
	case 1, 2:
		return oponn.Change{Status: oponn.Open}
	default:
		return oponn.Change{}
	}
}

func TestApplying_IsAFoldUnderAllRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := ruled{definition: drawRules(t), open: true, codes: map[int]bool{}, votes: map[int][]ruledVote{}}
		l := newLedger(t, m.definition, oponn.Window{})
		for v := range 6 {
			m.codes[v] = rapid.Bool().Draw(t, "has a code")
		}
		now := noon
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			now = now.Add(time.Minute)
			m.step(t, l, now)
		}
	})
}

// step draws a batch, applies it, and compares.
func (m *ruled) step(t *rapid.T, l *ledger, now time.Time) {
	change := drawSwitch(t)
	if change.Status != "" {
		m.open = change.Status == oponn.Open
	}
	type cast struct {
		voter  int
		vote   oponn.Vote
		chosen []string
	}
	var casts []cast
	var votes []oponn.Vote
	for range rapid.IntRange(0, 8).Draw(t, "votes") {
		c := cast{voter: rapid.IntRange(0, 5).Draw(t, "voter")}
		choice, chosen := drawChoice(t, l)
		c.chosen = chosen
		c.vote = l.ballot.Prepare(voter(c.voter), voteID(rapid.IntRange(0, 40).Draw(t, "vote id")), choice)
		casts, votes = append(casts, c), append(votes, c.vote)
	}
	known := l.known(t, len(l.writeIns))
	ground := l.ground(now, len(known), votes)
	for _, c := range casts {
		ground.Codes = append(ground.Codes, m.codes[c.voter])
	}
	before := fmt.Sprintf("%+v", ground)
	apply := l.ballot.Applying(votes, change, oponn.Known{WriteIns: known})
	effect, err := apply(ground)
	wantCode(t, err, "")
	again, err := apply(ground)
	wantCode(t, err, "")
	if fmt.Sprintf("%+v", effect) != fmt.Sprintf("%+v", again) || fmt.Sprintf("%+v", ground) != before {
		t.Fatal("applying is not pure")
	}
	wantCode(t, effect.Check(l.head), "")
	for i, c := range casts {
		code, repeat := m.take(c.voter, c.vote.ID, c.chosen)
		got := effect.Outcomes[i]
		wantCode(t, got.Err, code)
		if got.Repeat != repeat {
			t.Fatalf("vote %d repeats: %v, want %v", i, got.Repeat, repeat)
		}
		if code != "" {
			continue
		}
		past := m.votes[c.voter]
		at := slices.IndexFunc(past, func(v ruledVote) bool { return v.id == c.vote.ID })
		if !repeat {
			past[at].row = got.Logged
		}
		if !reflect.DeepEqual(got.Logged, past[at].row) || got.Logged.Revision != uint32(at)+1 {
			t.Fatalf("vote %d got %+v, want revision %d: %+v", i, got.Logged, at+1, past[at].row)
		}
	}
	m.compare(t, l, effect)
}

func (m *ruled) compare(t *rapid.T, l *ledger, effect oponn.Effect) {
	l.commit(effect)
	for i := 1; i < len(effect.Logged); i++ {
		a, b := effect.Logged[i-1], effect.Logged[i]
		if c := bytes.Compare(a.Tag[:], b.Tag[:]); c > 0 || c == 0 && a.Revision >= b.Revision {
			t.Fatalf("row %d is not behind the one before", i)
		}
	}
	got := map[string]uint64{}
	snapshot := oponn.Snapshot{Ballot: l.ballot, State: effect.State, WriteIns: l.known(t, len(l.writeIns))}
	for _, r := range snapshot.Results() {
		if r.Votes > 0 {
			got[oponn.FoldLabel(r.Option.Label)] = r.Votes
		}
	}
	want := map[string]uint64{}
	for label, n := range m.tally() {
		want[oponn.FoldLabel(label)] = n
	}
	if !maps.Equal(got, want) || effect.State.Voters != uint64(len(m.votes)) {
		t.Fatalf("the tally is %v of %d voters, want %v of %d", got, effect.State.Voters, want, len(m.votes))
	}
	wantAgreement(t, l)
}
