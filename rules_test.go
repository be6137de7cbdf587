package oponn_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestDraft_Check_Rules(t *testing.T) {
	check := func(change func(*oponn.Draft)) (oponn.Definition, error) {
		draft := oponn.Draft{Question: "Lunch?", Options: []string{"Soup", "Salad"}}
		change(&draft)
		d, _, err := draft.Check(noon)
		return d, err
	}
	for field, change := range map[string]func(*oponn.Draft){
		"choices: too_few":             func(d *oponn.Draft) { d.Rules.Choices = oponn.Bounds{Min: 0, Max: 1} },
		"choices: min_above_max":       func(d *oponn.Draft) { d.Rules.Choices = oponn.Bounds{Min: 2, Max: 1} },
		"choices: too_many":            func(d *oponn.Draft) { d.Rules.Choices = oponn.Bounds{Min: 1, Max: 3} },
		"visibility: unknown":          func(d *oponn.Draft) { d.Rules.Visibility = "sometimes" },
		"protection: unknown":          func(d *oponn.Draft) { d.Rules.Protection = "trust" },
		"write_ins: unknown":           func(d *oponn.Draft) { d.Rules.WriteIns = "shut" },
		"retention_days: out_of_range": func(d *oponn.Draft) { d.Rules.RetentionDays = 3651 },
	} {
		_, err := check(change)
		wantFields(t, err, field)
	}
	d, err := check(func(d *oponn.Draft) {
		d.Rules = oponn.Rules{Choices: oponn.Bounds{Min: 1, Max: 1}, Visibility: "always", Protection: "browser", WriteIns: "open", RetentionDays: 90}
	})
	wantCode(t, err, "")
	if d.Rules != (oponn.Rules{}) {
		t.Errorf("the defaults are stored as %+v", d.Rules)
	}
}

func TestDefinition_OfAReleaseBeforeOpensAsItWas(t *testing.T) {
	key := keyNamed("old")
	sealed := key.Seal(nil, []byte(`{"question":"Old?","labels":["a","b"],"allow_write_in":true}`), oponn.FieldDefinition)
	b, err := oponn.OpenBallot(oponn.Record{Definition: sealed}, key)
	wantCode(t, err, "")
	if !reflect.DeepEqual(b.Definition, oponn.Definition{Question: "Old?", Labels: []string{"a", "b"}, AllowWriteIn: true}) {
		t.Errorf("opened as %+v", b.Definition)
	}
	plain, err := json.Marshal(b.Definition)
	if want := `{"question":"Old?","labels":["a","b"],"allow_write_in":true}`; err != nil || string(plain) != want {
		t.Errorf("a plain definition is stored as %s, %v", plain, err)
	}
	ruled := b.Definition
	ruled.AllowChange = true
	sealed, err = oponn.SealDefinition(key, ruled)
	wantCode(t, err, "")
	if _, err := key.Open(nil, sealed, oponn.FieldDefinition); err == nil {
		t.Error("a release that doesn't know the rules opens a ballot that has some")
	}
}

func TestChoose_Several(t *testing.T) {
	d := lunch()
	d.Choices = oponn.Bounds{Min: 2, Max: 3}
	l := newLedger(t, d, oponn.Window{})
	l.append(t, noon, oponn.Change{}, l.pick(t, voter(1), voteID(1), "Stew", "1"), l.pick(t, voter(2), voteID(2), "Pie", "1"))
	known := l.known(t, 2)
	stew, pie := known[0].Option.ID, known[1].Option.ID
	for name, c := range map[string]struct {
		ids  []oponn.OptionID
		text string
		want string
	}{
		"none":                              {nil, "", "choices: required"},
		"too few":                           {[]oponn.OptionID{"1"}, "", "choices: too_few"},
		"the same twice":                    {[]oponn.OptionID{"1", "1"}, "", "choices: too_few"},
		"the same written in":               {[]oponn.OptionID{"1"}, " soup", "choices: too_few"},
		"too many":                          {[]oponn.OptionID{"1", "2", "3"}, "Rice", "choices: too_many"},
		"unknown":                           {[]oponn.OptionID{"1", "4"}, "", "choices: unknown_option"},
		"two":                               {[]oponn.OptionID{"1", "3"}, "", ""},
		"with what is merged":               {[]oponn.OptionID{"1", "2", "3"}, "soup", ""},
		"write-ins of others":               {[]oponn.OptionID{stew, pie}, "", ""},
		"write-ins of others and one's own": {[]oponn.OptionID{stew, pie}, "Rice", ""},
	} {
		t.Run(name, func(t *testing.T) {
			choice, err := l.ballot.Choose(c.ids, c.text, known)
			if c.want != "" {
				wantFields(t, err, c.want)
				return
			}
			wantCode(t, err, "")
			slices.Reverse(c.ids)
			other, err := l.ballot.Choose(c.ids, c.text, known)
			wantCode(t, err, "")
			if !choice.Equal(other) {
				t.Error("the order of choices matters")
			}
			vote, single := l.ballot.Prepare(voter(3), voteID(3), choice), l.pick(t, voter(4), voteID(4), "", "1", "2")
			if len(vote.Sealed) != len(single.Sealed) {
				t.Errorf("sealed to %d bytes, another choice to %d", len(vote.Sealed), len(single.Sealed))
			}
			opened, err := l.ballot.OpenChoice(oponn.LoggedVote{Tag: vote.Tag, ID: vote.ID, Sealed: vote.Sealed})
			if wantCode(t, err, ""); !opened.Equal(choice) {
				t.Errorf("opened as %+v, sealed %+v", opened, choice)
			}
		})
	}
}

// pick prepares a vote for options and a text.
func (l *ledger) pick(t rapid.TB, voter oponn.VoterID, id oponn.VoteID, text string, ids ...oponn.OptionID) oponn.Vote {
	t.Helper()
	c, err := l.ballot.Choose(ids, text, nil)
	wantCode(t, err, "")
	return l.ballot.Prepare(voter, id, c)
}

func TestApplying_CountsVotersNotChoices(t *testing.T) {
	d := lunch()
	d.Choices = oponn.Bounds{Min: 1, Max: 4}
	l := newLedger(t, d, oponn.Window{})
	l.append(t, noon, oponn.Change{}, l.pick(t, voter(1), voteID(1), "Stew", "1", "2"), l.pick(t, voter(2), voteID(2), "", "2"))
	l.wantResults(t, "Soup: 1", "Salad: 2", "Noodles: 0", "Stew: 1")
	if l.state(t).Voters != 2 {
		t.Errorf("%d voters", l.state(t).Voters)
	}
	wantAgreement(t, l)
}

func TestApplying_ChangesAVoteTwentyTimes(t *testing.T) {
	d := lunch()
	d.AllowChange = true
	l := newLedger(t, d, oponn.Window{})
	for n := range oponn.MaxChanges + 1 {
		effect := l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(n), []string{"1", "2", "Stew"}[n%3]))
		wantOutcomes(t, effect, "")
		receipt := l.ballot.Receipt(effect.Outcomes[0].Logged, false)
		if (receipt.Replaces == "") != (n == 0) {
			t.Errorf("vote %d replaces %q", n, receipt.Replaces)
		}
	}
	wantOutcomes(t, l.append(t, noon, oponn.Change{}, l.vote(t, voter(1), voteID(99), "1")), oponn.CodeAlreadyVoted)
	before := l.head
	effect := l.append(t, noon.Add(time.Hour), oponn.Change{}, l.vote(t, voter(1), voteID(3), "1"))
	wantRepeat(t, effect.Outcomes[0], l.log[3])
	wantUnmoved(t, effect, before)
	l.wantResults(t, "Soup: 0", "Salad: 0", "Noodles: 0", "Stew: 1")
	wantAgreement(t, l)
	for n := range l.log {
		counting, err := l.ballot.Counting(uint32(n+1), l.log, 77)
		wantCode(t, err, "")
		if counting.Counted != (n == oponn.MaxChanges) || counting.AsOf != 77 || counting.Hour != noon.Truncate(time.Hour) {
			t.Errorf("revision %d: %+v", n+1, counting)
		}
	}
	_, err := l.ballot.Counting(22, l.log, 77)
	wantCode(t, err, oponn.CodeNotFound)
}

func TestVisibility(t *testing.T) {
	nobody, voted, owner := oponn.Onlooker{}, oponn.Onlooker{Voted: true}, oponn.Onlooker{Owner: true}
	for _, c := range []struct {
		visibility oponn.Visibility
		status     oponn.Status
		seen       []oponn.Onlooker
	}{
		{oponn.VisibleAlways, oponn.Open, []oponn.Onlooker{nobody, voted, owner}},
		{oponn.VisibleAlways, oponn.Closed, []oponn.Onlooker{nobody, voted, owner}},
		{oponn.VisibleAfterVoting, oponn.Open, []oponn.Onlooker{voted, owner}},
		{oponn.VisibleAfterVoting, oponn.Closed, []oponn.Onlooker{voted, owner}},
		{oponn.VisibleAfterClosing, oponn.Open, []oponn.Onlooker{owner}},
		{oponn.VisibleAfterClosing, oponn.Closed, []oponn.Onlooker{nobody, voted, owner}},
		{oponn.VisibleToOwner, oponn.Open, []oponn.Onlooker{owner}},
		{oponn.VisibleToOwner, oponn.Closed, []oponn.Onlooker{owner}},
		{"of a later release", oponn.Closed, []oponn.Onlooker{owner}},
	} {
		d := lunch()
		d.Visibility = c.visibility
		s := oponn.Snapshot{Ballot: openBallot(t, d), State: oponn.State{Status: c.status, Voters: 3, Counts: []uint64{1, 2, 0}}}
		for _, o := range []oponn.Onlooker{nobody, voted, owner} {
			want := slices.Contains(c.seen, o)
			if got := s.ShowsCounts(o); got != want {
				t.Errorf("%s, %s: %+v sees counts: %v", c.visibility, c.status, o, got)
			}
			if got := s.ShowsCounts(d.Class(o)); got != want {
				t.Errorf("%s, %s: the class of %+v sees counts: %v", c.visibility, c.status, o, got)
			}
			for i, r := range s.For(o) {
				if !want && r.Votes != 0 || want && r.Votes != s.State.Counts[i] {
					t.Errorf("%s, %s: %+v sees %d votes", c.visibility, c.status, o, r.Votes)
				}
			}
		}
	}
}

func TestVotingCode(t *testing.T) {
	seen := map[oponn.VotingCode]bool{}
	for range 1000 {
		code := oponn.NewVotingCode()
		if seen[code] {
			t.Fatalf("%s twice", code)
		}
		seen[code] = true
		slip := strings.NewReplacer("-", "", "0", "o", "1", "l").Replace(string(code))
		got, err := oponn.ParseVotingCode(" " + strings.ToLower(slip))
		if wantCode(t, err, ""); got != code || got.Voter() != code.Voter() {
			t.Fatalf("%s is read as %s", code, got)
		}
		wrong := []byte(code)
		for _, symbol := range []byte("0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
			if wrong[3] = symbol; symbol != code[3] {
				_, err := oponn.ParseVotingCode(string(wrong))
				wantCode(t, err, oponn.CodeCodeRefused)
			}
		}
	}
	for _, text := range []string{"", "0", "00000-00000-000", "00000-00000-0000-", "00000-00000-00001", "00000-00000-000U", strings.Repeat("0", 9999)} {
		if _, err := oponn.ParseVotingCode(text); text != "00000-00000-0000-" {
			wantCode(t, err, oponn.CodeCodeRefused)
		}
	}
}

func TestBallot_Order(t *testing.T) {
	d := oponn.Definition{Question: "Many?", Labels: numbered(20)}
	plain := openBallot(t, d)
	d.ShuffleOptions = true
	shuffled := openBallot(t, d)
	orders := map[string]bool{}
	for n := range 50 {
		if !slices.IsSorted(plain.Order(voter(n))) {
			t.Fatal("shuffled where it should not be")
		}
		order := shuffled.Order(voter(n))
		if !slices.Equal(order, shuffled.Order(voter(n))) {
			t.Fatal("a voter's order changes")
		}
		var spelled bytes.Buffer
		for _, i := range order {
			spelled.WriteByte(byte(i))
		}
		orders[spelled.String()] = true
		if slices.Sort(order); !slices.Equal(order, plain.Order(voter(n))) {
			t.Fatalf("no permutation: %v", order)
		}
	}
	if len(orders) != 50 {
		t.Errorf("50 voters see %d orders", len(orders))
	}
}
