package storetest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) concurrency() {
	s.test("many appenders on two stores, with voters who come twice", func(t *testing.T, db database) {
		crowd := newCrowd(t, []oponn.Store{db.open(t), db.open(t)}, 4, 150)
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() { crowd.append(t, worker, 30) })
		}
		wait.Wait()
		crowd.check(t)
	})
	s.test("loads during appends see whole versions", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject := Create(t, store, Plan{})
		var wait sync.WaitGroup
		wait.Go(func() {
			for range 50 {
				if _, err := insist(store, subject.Batch(subject.NewVotes(t, 3))); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		})
		var last uint64
		for last < 51 && !t.Failed() {
			head := load(t, other, subject.ID).Head
			if head.Version < last || head.Voters != 3*(head.Version-1) || subject.State(t, head).Voters != head.Voters {
				t.Errorf("after version %d: %+v", last, head)
			}
			last = head.Version
		}
		wait.Wait()
	})
}

// crowd is several ballots and voters who vote on all of them, again and
// again, through several stores.
type crowd struct {
	stores   []oponn.Store
	subjects []*Subject
	// votes are, by ballot, two different votes of every voter: only one of
	// them may be counted.
	votes [][][2]oponn.Vote

	mu       sync.Mutex
	accepted []map[oponn.VoterTag]oponn.LoggedVote // by ballot, from receipts
}

func newCrowd(t *testing.T, stores []oponn.Store, ballots, voters int) *crowd {
	c := &crowd{stores: stores}
	for range ballots {
		subject := Create(t, stores[0], withWriteIns)
		c.subjects = append(c.subjects, subject)
		c.accepted = append(c.accepted, map[oponn.VoterTag]oponn.LoggedVote{})
		votes := make([][2]oponn.Vote, voters)
		for i := range votes {
			voter := oponn.NewVoterID()
			votes[i][0] = subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, i%2))
			votes[i][1] = subject.Prepare(voter, oponn.NewVoteID(), subject.WritingIn(t, "place "+string(rune('a'+i%20))))
		}
		c.votes = append(c.votes, votes)
	}
	return c
}

// append sends rounds of batches for a random choice of ballots.
func (c *crowd) append(t *testing.T, worker, rounds int) {
	random := rand.New(rand.NewPCG(1, uint64(worker)))
	store := c.stores[worker%len(c.stores)]
	for range rounds {
		var batches []oponn.Batch
		var ballots []int
		for _, n := range random.Perm(len(c.subjects))[:1+random.IntN(len(c.subjects))] {
			votes := make([]oponn.Vote, 1+random.IntN(12))
			for i := range votes {
				votes[i] = c.votes[n][random.IntN(len(c.votes[n]))][random.IntN(2)]
			}
			batches, ballots = append(batches, c.subjects[n].Batch(votes)), append(ballots, n)
		}
		for len(batches) > 0 {
			done := store.Append(context.Background(), batches)
			batches, ballots = c.note(t, batches, ballots, done)
		}
	}
}

// note keeps what was acknowledged and returns the batches to send again.
func (c *crowd) note(t *testing.T, batches []oponn.Batch, ballots []int, done []oponn.Appended) (again []oponn.Batch, whose []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, d := range done {
		switch oponn.CodeOf(d.Err) {
		case "":
		case oponn.CodeBusy, oponn.CodeStoreUnavailable, oponn.CodeOutcomeUnknown:
			again, whose = append(again, batches[i]), append(whose, ballots[i])
			continue
		default:
			t.Errorf("append: %v", d.Err)
			continue
		}
		for _, outcome := range d.Effect.Outcomes {
			if code := oponn.CodeOf(outcome.Err); code != "" && code != oponn.CodeAlreadyVoted {
				t.Errorf("vote: %v", outcome.Err)
			} else if code == "" {
				c.receipt(t, ballots[i], outcome.Logged)
			}
		}
	}
	return again, whose
}

// receipt checks that one voter's receipts are all the same.
func (c *crowd) receipt(t *testing.T, ballot int, logged oponn.LoggedVote) {
	if before, ok := c.accepted[ballot][logged.Tag]; ok && !sameVote(before, logged) {
		t.Errorf("two receipts of one voter: %+v and %+v", before, logged)
	}
	c.accepted[ballot][logged.Tag] = logged
}

// check compares heads, logs and receipts.
func (c *crowd) check(t *testing.T) {
	for n, subject := range c.subjects {
		record, log := subject.Recount(t, c.stores[n%len(c.stores)])
		if len(log) != len(c.accepted[n]) {
			t.Errorf("%d votes in the log, %d receipts", len(log), len(c.accepted[n]))
		}
		versions := map[uint64]bool{}
		for _, v := range log {
			if !sameVote(c.accepted[n][v.Tag], v) {
				t.Errorf("the log has %+v, the receipt was %+v", v, c.accepted[n][v.Tag])
			}
			versions[v.Version] = true
		}
		// Every version but the first came from votes: none may be missing.
		if uint64(len(versions))+1 != record.Head.Version {
			t.Errorf("%d versions in the log, the head is at %d", len(versions), record.Head.Version)
		}
	}
}
