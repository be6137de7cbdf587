package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/oponn/oponn"
)

// TB is what the helpers need of a test; *testing.T, *testing.B and *rapid.T
// have it.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Subject is a ballot that a test works on, opened with its test key.
type Subject struct {
	*oponn.Ballot
	// Record is what was given to Store.Create.
	Record oponn.Record
}

// Plan is what a Subject shall be like; zero fields have defaults.
type Plan struct {
	// Definition has the options yes, no and perhaps by default.
	Definition oponn.Definition
	// Window is taken as it is, also when it has passed already.
	Window oponn.Window
	// Owner is the browser that made the ballot; none by default.
	Owner oponn.OwnerID
}

// NewSubject makes a ballot with a fresh id and does not store it.
func NewSubject(t TB, plan Plan) *Subject {
	t.Helper()
	if plan.Definition.Question == "" {
		plan.Definition.Question = "Shall we go to the sea?"
	}
	if plan.Definition.Labels == nil {
		plan.Definition.Labels = []string{"yes", "no", "perhaps"}
	}
	id := oponn.NewBallotID()
	wrapped, key, err := Keys().Create(context.Background(), id)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	definition, err := oponn.SealDefinition(key, plan.Definition)
	if err != nil {
		t.Fatalf("seal the definition: %v", err)
	}
	first := oponn.FirstState(plan.Definition, plan.Window)
	sealed, err := first.Seal(key, 1)
	if err != nil {
		t.Fatalf("seal the first state: %v", err)
	}
	record := oponn.Record{Ballot: id, OwnerKey: sha256.Sum256(id[:]), Owner: plan.Owner.Hash(), Key: wrapped,
		Definition: definition, Head: oponn.Head{Ballot: id, Version: 1, Sealed: sealed,
			ExpiresAt: plan.Definition.FirstExpiry(first, now())}}
	ballot, err := oponn.OpenBallot(record, key)
	if err != nil {
		t.Fatalf("open the ballot: %v", err)
	}
	return &Subject{Ballot: ballot, Record: record}
}

// Create makes a ballot and stores it.
func Create(t TB, store oponn.Store, plan Plan) *Subject {
	t.Helper()
	s := NewSubject(t, plan)
	at, err := store.Create(context.Background(), s.Record)
	if err != nil {
		t.Fatalf("create a ballot: %v", err)
	}
	s.CreatedAt, s.Record.CreatedAt = at, at
	return s
}

// Choice returns the choice of one of the owner's options, from 0.
func (s *Subject) Choice(t TB, option int) oponn.Choice {
	t.Helper()
	choice, err := s.Choose([]oponn.OptionID{oponn.OptionID(fmt.Sprint(option + 1))}, "", nil)
	if err != nil {
		t.Fatalf("choose option %d: %v", option, err)
	}
	return choice
}

// WritingIn returns the choice of a written-in text.
func (s *Subject) WritingIn(t TB, text string) oponn.Choice {
	t.Helper()
	choice, err := s.Choose(nil, text, nil)
	if err != nil {
		t.Fatalf("write in %q: %v", text, err)
	}
	return choice
}

// NewVote returns the vote of a voter who never came before, for one of the
// owner's options, from 0.
func (s *Subject) NewVote(t TB, option int) oponn.Vote {
	t.Helper()
	return s.Prepare(oponn.NewVoterID(), oponn.NewVoteID(), s.Choice(t, option))
}

// NewVotes returns n votes of new voters, spread over the owner's options.
func (s *Subject) NewVotes(t TB, n int) []oponn.Vote {
	t.Helper()
	votes := make([]oponn.Vote, n)
	for i := range votes {
		votes[i] = s.NewVote(t, i%len(s.Definition.Labels))
	}
	return votes
}

// Batch returns a batch of votes that follows the rules of the domain and
// knows the given write-ins.
func (s *Subject) Batch(votes []oponn.Vote, known ...oponn.WriteIn) oponn.Batch {
	return oponn.Batch{Ballot: s.ID, Votes: votes, WriteIns: len(known), Codes: s.Definition.Protection == oponn.ProtectedByCodes,
		Apply: s.Applying(votes, oponn.Change{}, oponn.Known{WriteIns: known})}
}

// After returns a batch of votes whose sender knows what an earlier one led to,
// and its write-ins.
func (s *Subject) After(before oponn.Effect, votes []oponn.Vote) oponn.Batch {
	return oponn.Batch{Ballot: s.ID, Votes: votes, WriteIns: len(before.WriteIns), Head: before.Head,
		Apply: s.Applying(votes, oponn.Change{}, oponn.Known{Head: before.Head, State: before.State, WriteIns: before.WriteIns})}
}

// Closing returns a batch that closes the ballot.
func (s *Subject) Closing() oponn.Batch {
	return oponn.Batch{Ballot: s.ID, Apply: s.Applying(nil, oponn.Change{Status: oponn.Closed}, oponn.Known{})}
}

// Deleting returns a batch that deletes the ballot.
func (s *Subject) Deleting() oponn.Batch {
	return oponn.Burying(s.ID)
}

// State opens the state in a head.
func (s *Subject) State(t TB, head oponn.Head) oponn.State {
	t.Helper()
	state, err := oponn.OpenState(s.Key, head)
	if err != nil {
		t.Fatalf("open the state: %v", err)
	}
	return state
}

// Recount reads the whole ballot in one snapshot, counts its votes again and
// fails the test where they differ from the head. It returns what it read.
func (s *Subject) Recount(t TB, store oponn.Store) (oponn.Record, []oponn.LoggedVote) {
	t.Helper()
	var record oponn.Record
	var log []oponn.LoggedVote
	var recount *oponn.Recount
	err := store.Scan(context.Background(), s.ID, func(r oponn.Record) error {
		writeIns, err := oponn.OpenWriteIns(s.Key, r.WriteIns)
		record, recount = r, oponn.NewRecount(s.Ballot, writeIns)
		return err
	}, func(v oponn.LoggedVote) error {
		log = append(log, v)
		return recount.Add(v)
	})
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	if len(record.WriteIns) != record.Head.WriteIns {
		t.Errorf("%d write-ins stored, the head counts %d", len(record.WriteIns), record.Head.WriteIns)
	}
	if differ := recount.Compare(record.Head, s.State(t, record.Head)); len(differ) > 0 {
		t.Fatalf("log and head differ: %v", differ)
	}
	return record, log
}

// AppendOne appends one batch and returns what became of it.
func AppendOne(store oponn.Store, batch oponn.Batch) oponn.Appended {
	return store.Append(context.Background(), []oponn.Batch{batch})[0]
}

// Insist appends one batch, again and again while the store says that it was
// not done or is not known, and returns its effect. It gives up after a
// minute.
func Insist(t TB, store oponn.Store, batch oponn.Batch) oponn.Effect {
	t.Helper()
	effect, err := insist(store, batch)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return effect
}

// insist is Insist for goroutines, which must not end a test.
func insist(store oponn.Store, batch oponn.Batch) (oponn.Effect, error) {
	for start := time.Now(); ; {
		done := AppendOne(store, batch)
		code := oponn.CodeOf(done.Err)
		again := code == oponn.CodeBusy || code == oponn.CodeStoreUnavailable || code == oponn.CodeOutcomeUnknown
		if !again || time.Since(start) > time.Minute {
			return done.Effect, done.Err
		}
	}
}
