package actors_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/historytest"
)

// step is one thing that happens in a history.
type step struct {
	After    time.Duration // since the step before
	What     what
	Instance int
	Voter    int
	// Vote is which of the voter's vote ids, Choice which option.
	Vote, Choice int
	Open         bool
	At           point
}

type what int

const (
	voting   what = iota
	bursting      // all of a voter's votes at once
	looking
	watching
	turning   // the ballot is closed or opened
	dying     // at the next transaction
	losing    // the answer to the next COMMIT, which is done or, with Open, not
	failing   // the next transaction
	slowing   // all transactions, by the time of After
	crashing  // the ballot's actor
	numOfWhat // none
)

var steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
	// Most of what happens is votes.
	kind := rapid.OneOf(rapid.Just(voting), rapid.Just(voting), rapid.Just(looking), rapid.Map(rapid.IntRange(0, int(numOfWhat)-1), func(n int) what { return what(n) }))
	return step{
		After:    time.Duration(rapid.IntRange(0, 40).Draw(t, "after")) * time.Millisecond,
		What:     kind.Draw(t, "what"),
		Instance: rapid.IntRange(0, 1).Draw(t, "instance"),
		Voter:    rapid.IntRange(0, 3).Draw(t, "voter"),
		Vote:     rapid.IntRange(0, votesOfVoter-1).Draw(t, "vote"),
		Choice:   rapid.IntRange(0, 1).Draw(t, "choice"),
		Open:     rapid.Bool().Draw(t, "open"),
		At:       rapid.SampledFrom([]point{beforeCommit, afterCommit, beforeReply}).Draw(t, "at"),
	}
}), 1, 25)

// votesOfVoter is how many vote ids each voter has.
const votesOfVoter = 3

// TestHistories plays short histories at random, of two instances on a
// simulated store that die, lose answers and crash, and holds what clients
// were told against the log. In some of them votes may be changed. HISTORIES
// says how many.
func TestHistories(t *testing.T) {
	checks := "500"
	if n := os.Getenv("HISTORIES"); n != "" {
		checks = n
	}
	before := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set("rapid.checks", before) }()
	rapid.Check(t, func(r *rapid.T) {
		joined, script := rapid.Bool().Draw(r, "joined"), steps.Draw(r, "steps")
		rules := oponn.Rules{AllowChange: rapid.Bool().Draw(r, "changes")}
		synctest.Test(t, func(t *testing.T) {
			if broken := play(t, joined, rules, script); len(broken) > 0 {
				r.Errorf("%q", broken)
			}
		})
	})
}

// TestHistories_Found plays histories that once broke a promise.
func TestHistories_Found(t *testing.T) {
	for name, script := range map[string][]step{
		// The batch of the actor that crashes commits while the next one loads,
		// and a reader who has seen more comes while two questions to the store
		// are under way.
		"a crash while voting": {
			{What: voting},
			{After: 8 * time.Millisecond, What: crashing},
			{After: 9 * time.Millisecond, What: voting, Instance: 1, Voter: 2, Choice: 1},
			{After: 28 * time.Millisecond, What: voting, Instance: 1, Voter: 1},
			{After: 24 * time.Millisecond, What: looking, Instance: 1},
			{After: 3 * time.Millisecond, What: looking},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if broken := play(t, true, oponn.Rules{}, script); len(broken) > 0 {
					t.Errorf("%q", broken)
				}
			})
		})
	}
}

// scene is one history in the making.
type scene struct {
	*stage
	ballot oponn.BallotID
	voters [4]oponn.VoterID
	votes  [4][votesOfVoter]oponn.VoteID
	// read and shown are what the two readers and viewers of each instance have
	// seen. They go from one instance to the other.
	read    [4]uint64
	shown   [4]atomic.Uint64
	watched [4]*onlooker
	acting  sync.WaitGroup
	// busy are held by who reads or watches: by channels, since virtual time
	// waits for mutexes.
	busy [4]chan struct{}
}

// play plays a history to its end, and returns which promises were broken.
func play(t *testing.T, joined bool, rules oponn.Rules, script []step) []string {
	t.Helper()
	s := &scene{stage: newStage(t, joined)}
	defer s.end(t)
	for i := range s.voters {
		s.busy[i] = make(chan struct{}, 1)
		s.voters[i] = oponn.NewVoterID()
		for n := range s.votes[i] {
			s.votes[i][n] = oponn.NewVoteID()
		}
	}
	created, err := s.living[0].Create(context.Background(), oponn.Draft{Question: "Tabs or spaces?", Options: []string{"tabs", "spaces"}, Rules: rules}, oponn.OwnerID{})
	if err != nil {
		t.Fatal(err)
	}
	s.ballot = created.Snapshot.Ballot.ID
	for _, step := range script {
		time.Sleep(step.After) // virtual time
		s.do(t, step)
	}
	s.acting.Wait()
	time.Sleep(10 * time.Second) // virtual time: what is unknown is found out, and viewers are told
	log := s.log(t, s.ballot)
	if rules.AllowChange {
		log.Changes = oponn.MaxChanges
	}
	broken := s.history.Check(map[string]historytest.Log{s.ballot.String(): log})
	return append(broken, s.behind(log.Head)...)
}

// do begins a step; clients go on beside the next ones.
func (s *scene) do(t *testing.T, step step) {
	m := s.instance(t, step.Instance)
	switch step.What {
	case voting:
		s.acting.Go(func() { s.vote(m, step) })
	case bursting:
		for n := range votesOfVoter {
			each := step
			each.Vote, each.Choice = n, (step.Choice+n)%2
			s.acting.Go(func() { s.vote(m, each) })
		}
	case looking:
		s.acting.Go(func() { s.look(m, step) })
	case watching:
		s.acting.Go(func() { s.watch(m, step) })
	case turning:
		s.turn(m, step.Open) // one after the other
	case dying:
		m.doom(step.At)
	case losing:
		m.memory.LoseNextCommit(!step.Open)
	case failing:
		m.memory.FailNext(1, nil)
	case slowing:
		m.memory.SetLatency(step.After)
	case crashing:
		s.acting.Go(func() { _, _ = m.Cast(context.Background(), m.keys.crasher(s.ballot)) })
	case numOfWhat:
	}
}

// vote sends a vote once; a script that wants more says so.
func (s *scene) vote(m *mortal, step step) {
	id := s.votes[step.Voter][step.Vote]
	answered := s.history.Send(historytest.Vote{Ballot: s.ballot.String(), Voter: strconv.Itoa(step.Voter), ID: id.String(), Choice: step.Choice})
	receipt, err := m.Cast(context.Background(), oponn.Cast{Ballot: s.ballot, Voter: s.voters[step.Voter], VoteID: id, Choices: []oponn.OptionID{oponn.OptionID(strconv.Itoa(step.Choice + 1))}})
	if m.gone() {
		answered(historytest.Answer{})
		return
	}
	answered(historytest.Answer{Fate: fateOf(err), Code: string(oponn.CodeOf(err)), Receipt: receipt.Locator, Replaces: receipt.Replaces, Version: receipt.Version})
}

// turn closes or opens the ballot.
func (s *scene) turn(m *mortal, open bool) {
	status := oponn.Closed
	if open {
		status = oponn.Open
	}
	answered := s.history.Turn(s.ballot.String(), open)
	_, err := m.Change(context.Background(), s.ballot, oponn.Change{Status: status})
	switch fate := fateOf(err); {
	case m.gone():
		answered(historytest.Unknown)
	case fate == historytest.Refused:
		answered(historytest.Failed)
	default:
		answered(fate)
	}
}

// look reads the result, and says what it has seen.
func (s *scene) look(m *mortal, step step) {
	s.busy[step.Voter] <- struct{}{}
	defer func() { <-s.busy[step.Voter] }()
	seen := s.read[step.Voter]
	snapshot, err := m.Result(context.Background(), s.ballot, seen)
	if err != nil || m.gone() {
		return
	}
	s.read[step.Voter] = max(seen, snapshot.Version)
	s.history.Look(historytest.Read{Ballot: s.ballot.String(), Client: "reader " + strconv.Itoa(step.Voter), Presented: seen,
		Version: snapshot.Version, Voters: snapshot.State.Voters, Counts: snapshot.State.Counts})
}

// watch opens a viewer's stream here, and ends the one it had.
func (s *scene) watch(m *mortal, step step) {
	s.busy[step.Voter] <- struct{}{}
	defer func() { <-s.busy[step.Voter] }()
	if last := s.watched[step.Voter]; last != nil {
		last.leave()
		s.watched[step.Voter] = nil  // whatever becomes of the next one
		time.Sleep(time.Millisecond) // virtual time: nothing is under way any more
	}
	o := &onlooker{stage: s.stage, instance: m, ballot: s.ballot, name: "viewer " + strconv.Itoa(step.Voter),
		presented: s.shown[step.Voter].Load(), seen: &s.shown[step.Voter]}
	stream, err := m.Watch(context.Background(), s.ballot, oponn.Viewer{Group: tallies, After: o.presented, Stays: true, Sink: o})
	if err == nil {
		o.stream = stream
		s.watched[step.Voter] = o
	}
}

// behind names the viewers who have not seen the last version, although their
// instance lives.
func (s *scene) behind(head uint64) (late []string) {
	for i, o := range s.watched {
		if o != nil && !o.instance.gone() && o.ended() == "" && s.shown[i].Load() < head {
			late = append(late, fmt.Sprintf("viewer %d still sees version %d of %d", i, s.shown[i].Load(), head))
		}
	}
	return late
}
