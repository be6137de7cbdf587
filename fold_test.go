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

// spellings are what voters of lunch may send, and the option that each is a
// vote for.
var spellings = map[string]string{
	"1": "Soup", "2": "Salad", "3": "Noodles", "  SOUP ": "Soup", "ｎoodles": "Noodles",
	"Stew": "stew", "stew": "stew", "Ragou\u0302t": "ragoût", "RAGO\u00dbT": "ragoût", "Pie": "pie", "4": "4",
}

// model is the fold, told a second time and without any cryptography.
type model struct {
	window oponn.Window
	status oponn.Status
	closed time.Time
	votes  map[oponn.VoterTag]modelVote
	first  map[string]int // write-ins by when they came, from 1
}

type modelVote struct {
	id     oponn.VoteID
	option string
	row    oponn.LoggedVote
}

// advance moves the status as time and owner demand.
func (m *model) advance(now time.Time, change oponn.Change) (moved bool) {
	status := m.status
	if status == oponn.Scheduled && !now.Before(m.window.OpensAt) {
		status = oponn.Open
	}
	due := status == oponn.Open && !m.window.ClosesAt.IsZero() && !now.Before(m.window.ClosesAt)
	if change.Status == oponn.Closed || due {
		status = oponn.Closed
	}
	moved, m.status = status != m.status, status
	if moved && status == oponn.Closed {
		m.closed = now
	}
	return moved
}

// take returns what must become of a vote, and keeps it when it is accepted.
func (m *model) take(vote oponn.Vote, spelling string) (code oponn.Code, repeat bool) {
	option := spellings[spelling]
	if past, voted := m.votes[vote.Tag]; voted {
		switch {
		case past.id != vote.ID:
			return oponn.CodeAlreadyVoted, false
		case past.option != option:
			return oponn.CodeVoteIDReused, false
		}
		return "", true
	}
	switch m.status {
	case oponn.Scheduled:
		return oponn.CodeNotOpen, false
	case oponn.Closed:
		return oponn.CodeClosed, false
	default:
	}
	m.votes[vote.Tag] = modelVote{id: vote.ID, option: option}
	if _, there := m.first[option]; !there && !slices.Contains(lunch().Labels, option) {
		m.first[option] = len(m.first) + 1
	}
	return "", false
}

// state returns the state that the votes add up to.
func (m *model) state() oponn.State {
	s := oponn.State{Status: m.status, OpensAt: m.window.OpensAt, ClosesAt: m.window.ClosesAt, ClosedAt: m.closed,
		Voters: uint64(len(m.votes)), Counts: make([]uint64, 3+len(m.first))}
	for _, v := range m.votes {
		place := slices.Index(lunch().Labels, v.option)
		if place < 0 {
			place = 2 + m.first[v.option]
		}
		s.Counts[place]++
	}
	return s
}

// sent is a batch as some instance sends it.
type sent struct {
	votes     []oponn.Vote
	spellings []string
	change    oponn.Change
	known     int // write-ins that the instance knows
	now       time.Time
}

// drawBatch draws a batch of few voters, who reuse few vote ids.
func drawBatch(t *rapid.T, l *ledger, now time.Time) sent {
	b := sent{known: rapid.IntRange(0, len(l.writeIns)).Draw(t, "known"), now: now}
	if rapid.IntRange(0, 9).Draw(t, "close") == 0 {
		b.change = closing
	}
	keys := slices.Sorted(maps.Keys(spellings))
	for range rapid.IntRange(0, 8).Draw(t, "votes") {
		spelling := rapid.SampledFrom(keys).Draw(t, "spelling")
		b.spellings = append(b.spellings, spelling)
		b.votes = append(b.votes, l.vote(t, voter(rapid.IntRange(0, 7).Draw(t, "voter")),
			voteID(rapid.IntRange(0, 2).Draw(t, "vote id")), spelling))
	}
	return b
}

// applyTwice returns the effect of a batch, having seen that applying it is
// pure: it gives the same twice and changes nothing of what it was given.
func applyTwice(t *rapid.T, l *ledger, b sent) oponn.Effect {
	all := l.known(t, len(l.writeIns))
	known, votes, ground := all[:b.known], slices.Clone(b.votes), l.ground(b.now, b.known, b.votes)
	for i := range all[b.known:] { // what lies behind known is somebody else's
		all[b.known+i] = oponn.WriteIn{}
	}
	apply := l.ballot.Applying(votes, b.change, oponn.Known{WriteIns: known})
	first, err := apply(ground)
	wantCode(t, err, "")
	if !reflect.DeepEqual(ground, l.ground(b.now, b.known, b.votes)) {
		t.Fatal("the ground was changed")
	}
	if !reflect.DeepEqual(votes, b.votes) || !slices.Equal(known, l.known(t, b.known)) ||
		slices.ContainsFunc(all[b.known:], func(w oponn.WriteIn) bool { return w != oponn.WriteIn{} }) {
		t.Fatal("the batch was changed")
	}
	second, err := apply(ground)
	wantCode(t, err, "")
	if once, twice := fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", second); once != twice {
		t.Fatalf("applied once: %s, twice: %s", once, twice)
	}
	state, err := oponn.OpenState(l.ballot.Key, ground.Head)
	wantCode(t, err, "")
	before := fmt.Sprintf("%+v", state)
	third, err := l.ballot.Applying(votes, b.change, oponn.Known{Head: ground.Head, State: state, WriteIns: known})(ground)
	wantCode(t, err, "")
	if !reflect.DeepEqual(third.State, first.State) || !reflect.DeepEqual(third.Logged, first.Logged) || fmt.Sprintf("%+v", state) != before {
		t.Fatalf("who knows the state gets %+v and leaves %+v, of %s; who doesn't gets %+v", third.State, state, before, first.State)
	}
	return first
}

// wantFate checks the outcomes against the model and says whether the head
// must move.
func (m *model) wantFate(t *rapid.T, b sent, effect oponn.Effect) (moved bool) {
	moved = m.advance(b.now, b.change)
	for i, vote := range b.votes {
		code, repeat := m.take(vote, b.spellings[i])
		got := effect.Outcomes[i]
		wantCode(t, got.Err, code)
		if got.Repeat != repeat {
			t.Fatalf("vote %d repeats: %v, want %v", i, got.Repeat, repeat)
		}
		switch past := m.votes[vote.Tag]; {
		case repeat && !reflect.DeepEqual(got.Logged, past.row):
			t.Fatalf("vote %d got %+v again, want %+v", i, got.Logged, past.row)
		case code == "" && !repeat:
			moved, past.row = true, got.Logged
			m.votes[vote.Tag] = past
		}
	}
	return moved
}

// wantNext checks what a store would keep of an effect.
func wantNext(t *rapid.T, l *ledger, b sent, effect oponn.Effect, moved bool) {
	if !moved {
		if !reflect.DeepEqual(effect.Head, l.head) || len(effect.Logged)+len(effect.Added) > 0 {
			t.Fatalf("nothing happened, yet the head became %+v", effect.Head)
		}
		return
	}
	if effect.Head.Version != l.head.Version+1 {
		t.Fatalf("version %d follows %d", effect.Head.Version, l.head.Version)
	}
	for i, row := range effect.Logged {
		want := oponn.LoggedVote{Tag: row.Tag, Revision: 1, ID: row.ID, Position: l.head.Position + uint64(i) + 1,
			Version: effect.Head.Version, At: b.now, Sealed: row.Sealed}
		if !reflect.DeepEqual(row, want) {
			t.Fatalf("row %d is %+v, want %+v", i, row, want)
		}
		if i > 0 && bytes.Compare(effect.Logged[i-1].Tag[:], row.Tag[:]) >= 0 {
			t.Fatalf("row %d is not behind the one before by its tag", i)
		}
	}
	if _, err := oponn.OpenState(l.ballot.Key, oponn.Head{Version: effect.Head.Version, Sealed: l.head.Sealed}); err == nil {
		t.Fatal("the old state opens as the new version's")
	}
}

func TestApplying_IsAFoldOverTheVotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{window: drawWindow(t), votes: make(map[oponn.VoterTag]modelVote), first: make(map[string]int)}
		l := newLedger(t, lunch(), m.window)
		m.status = l.state(t).Status
		now := noon
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1800).Draw(t, "seconds later")) * time.Second)
			b := drawBatch(t, l, now)
			effect := applyTwice(t, l, b)
			moved := m.wantFate(t, b, effect)
			wantNext(t, l, b, effect, moved)
			l.commit(effect)

			if want := m.state(); !reflect.DeepEqual(effect.State, want) || !reflect.DeepEqual(l.state(t), want) {
				t.Fatalf("the state is %+v, want %+v", effect.State, want)
			}
			if h := l.head; h.Voters != uint64(len(m.votes)) || h.Position != uint64(len(l.log)) || h.WriteIns != len(m.first) {
				t.Fatalf("the head is %+v", h)
			}
			all := l.known(t, len(l.writeIns))
			if !slices.Equal(effect.WriteIns, all[b.known:]) {
				t.Fatalf("an instance that knew %d learned %v of %v", b.known, effect.WriteIns, all)
			}
			for i, w := range all {
				if w.Number != i+1 || m.first[oponn.FoldLabel(w.Option.Label)] != i+1 {
					t.Fatalf("write-in %d is %+v", i+1, w)
				}
			}
			wantAgreement(t, l)
		}
	})
}
