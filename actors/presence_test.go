package actors

import (
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// instances are presences whose words reach all of them, as over a bus, once
// deliver is called.
type instances struct {
	all   []*presence
	words []oponn.Notice
}

func newInstances(n int) *instances {
	i := &instances{}
	for range n {
		i.all = append(i.all, newPresence(func(notice oponn.Notice) { i.words = append(i.words, notice) }))
	}
	return i
}

func (i *instances) deliver(now time.Time) {
	for len(i.words) > 0 {
		word := i.words[0]
		i.words = i.words[1:]
		for _, p := range i.all {
			p.hear(word.Ballot, *word.Roll, now)
		}
	}
}

func TestPresence(t *testing.T) {
	now, ballot, other := time.Now(), oponn.NewBallotID(), oponn.NewBallotID()
	i := newInstances(3)
	here, there, idle := i.all[0], i.all[1], i.all[2]
	want := func(n int) {
		t.Helper()
		if got := here.watching(ballot, now); got != n {
			t.Fatalf("%d watch, want %d", got, n)
		}
		i.deliver(now)
	}
	there.come(ballot)
	there.come(ballot)
	there.come(other)
	here.come(ballot)
	want(1) // the others were not asked yet
	want(3)
	there.leave(ballot)
	want(3) // a roll is good for a while
	now = now.Add(rollEvery)
	want(3)
	want(2)
	if len(i.words) > 0 || len(idle.rolls) > 0 {
		t.Error("who has no viewers says something, or keeps something")
	}
	// The other instance goes without a word.
	i.all = i.all[:1]
	now = now.Add(rollLasts)
	want(1)
	here.leave(ballot)
	want(0)
	there.leave(ballot)
	there.leave(other)
	if len(here.here)+len(there.here)+len(there.answered) > 0 {
		t.Error("viewers who have left are kept")
	}
}

func TestPresence_Bounds(t *testing.T) {
	now, p := time.Now(), newPresence(func(oponn.Notice) {})
	for range 2 * maxRolls {
		p.watching(oponn.NewBallotID(), now)
	}
	if len(p.rolls) != maxRolls {
		t.Errorf("%d rolls are kept", len(p.rolls))
	}
	ballot := oponn.NewBallotID()
	now = now.Add(rollLasts)
	if p.watching(ballot, now); len(p.rolls) != 1 {
		t.Errorf("%d rolls are kept that nobody asks for", len(p.rolls)-1)
	}
	for n := range uint64(10 * maxAnswers) {
		p.hear(ballot, oponn.Roll{Instance: p.instance + n + 1, Watching: 1}, now)
	}
	if answers := len(p.rolls[ballot].answers); answers > maxAnswers {
		t.Errorf("%d answers are kept", answers)
	}
	// Whoever asks without end gets an answer now and then.
	said := 0
	p.call = func(oponn.Notice) { said++ }
	p.come(ballot)
	for range 100 {
		p.hear(ballot, oponn.Roll{Instance: 1, Asks: true}, now)
	}
	if said != 1 {
		t.Errorf("answered %d times", said)
	}
}
