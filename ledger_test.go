package oponn_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// wantCode checks an error's code; the empty code wants no error.
func wantCode(t rapid.TB, err error, want oponn.Code) {
	t.Helper()
	if got := oponn.CodeOf(err); got != want {
		t.Fatalf("error %v has code %q, want %q", err, got, want)
	}
}

// wantFields checks that an error is CodeInvalid about exactly these fields,
// each given as "field: code".
func wantFields(t rapid.TB, err error, want ...string) {
	t.Helper()
	wantCode(t, err, oponn.CodeInvalid)
	var got []string
	for _, f := range fieldsOf(err) {
		if f.Message == "" {
			t.Errorf("field %s says nothing for people", f.Field)
		}
		got = append(got, f.Field+": "+f.Code)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("wrong fields %q, want %q", got, want)
	}
}

// fieldsOf returns what an error says of fields.
func fieldsOf(err error) []oponn.FieldError {
	var e *oponn.Error
	if !errors.As(err, &e) {
		return nil
	}
	return e.Fields
}

// lunch is the ballot that most tests vote on.
func lunch() oponn.Definition {
	return oponn.Definition{Question: "What's for lunch?", Labels: []string{"Soup", "Salad", "Noodles"}, AllowWriteIn: true}
}

// openBallot seals a definition and opens it as a ballot.
func openBallot(t rapid.TB, d oponn.Definition) *oponn.Ballot {
	t.Helper()
	key := keyNamed(d.Question)
	sealed, err := oponn.SealDefinition(key, d)
	wantCode(t, err, "")
	b, err := oponn.OpenBallot(oponn.Record{Ballot: oponn.BallotID{7}, Definition: sealed}, key)
	wantCode(t, err, "")
	return b
}

// voter returns the nth voter, from 0.
func voter(n int) oponn.VoterID { return oponn.VoterID{'v', byte(n >> 8), byte(n)} }

// voteID returns the nth vote id, from 0.
func voteID(n int) oponn.VoteID { return oponn.VoteID{'i', byte(n >> 8), byte(n)} }

// ledger is a store of one ballot, in memory: what was committed to it.
type ledger struct {
	ballot   *oponn.Ballot
	head     oponn.Head
	log      []oponn.LoggedVote
	writeIns []oponn.SealedWriteIn
}

func newLedger(t rapid.TB, d oponn.Definition, w oponn.Window) *ledger {
	t.Helper()
	b := openBallot(t, d)
	sealed, err := oponn.FirstState(d, w).Seal(b.Key, 1)
	wantCode(t, err, "")
	return &ledger{ballot: b, head: oponn.Head{Ballot: b.ID, Version: 1, Sealed: sealed}}
}

// vote prepares a vote for an option's id, or, where there is no such option,
// for what is written in.
func (l *ledger) vote(t rapid.TB, voter oponn.VoterID, id oponn.VoteID, choice string) oponn.Vote {
	t.Helper()
	c, err := l.ballot.Choose([]oponn.OptionID{oponn.OptionID(choice)}, "", nil)
	if err != nil {
		c, err = l.ballot.Choose(nil, choice, nil)
	}
	wantCode(t, err, "")
	return l.ballot.Prepare(voter, id, c)
}

// ground returns what a transaction would read for the votes of an instance
// that knows so many write-ins. It shares nothing with the ledger.
func (l *ledger) ground(now time.Time, known int, votes []oponn.Vote) oponn.Ground {
	g := oponn.Ground{Head: l.head, Now: now, Earlier: make([][]oponn.LoggedVote, len(votes))}
	g.Head.Sealed = bytes.Clone(l.head.Sealed)
	for i, vote := range votes {
		for _, row := range l.log {
			if row.Tag == vote.Tag {
				row.Sealed = bytes.Clone(row.Sealed)
				g.Earlier[i] = append(g.Earlier[i], row)
			}
		}
	}
	for _, w := range l.writeIns[known:] {
		w.Sealed = bytes.Clone(w.Sealed)
		g.WriteIns = append(g.WriteIns, w)
	}
	return g
}

// known returns the first n write-ins, opened.
func (l *ledger) known(t rapid.TB, n int) []oponn.WriteIn {
	t.Helper()
	known, err := oponn.OpenWriteIns(l.ballot.Key, l.writeIns[:n])
	wantCode(t, err, "")
	return known
}

// append applies votes and a change at a time, by an instance that knows all
// write-ins, and commits the effect.
func (l *ledger) append(t rapid.TB, now time.Time, change oponn.Change, votes ...oponn.Vote) oponn.Effect {
	t.Helper()
	known := l.known(t, len(l.writeIns))
	effect, err := l.ballot.Applying(votes, change, oponn.Known{WriteIns: known})(l.ground(now, len(known), votes))
	wantCode(t, err, "")
	l.commit(effect)
	return effect
}

func (l *ledger) commit(effect oponn.Effect) {
	l.head = effect.Head
	l.log = append(l.log, effect.Logged...)
	l.writeIns = append(l.writeIns, effect.Added...)
}

// state opens the state of the head.
func (l *ledger) state(t rapid.TB) oponn.State {
	t.Helper()
	state, err := oponn.OpenState(l.ballot.Key, l.head)
	wantCode(t, err, "")
	return state
}

// results returns the tally as "label: votes", in order.
func (l *ledger) results(t rapid.TB) []string {
	t.Helper()
	snapshot := oponn.Snapshot{Ballot: l.ballot, Version: l.head.Version, State: l.state(t), WriteIns: l.known(t, len(l.writeIns))}
	var results []string
	for _, r := range snapshot.Results() {
		results = append(results, fmt.Sprintf("%s: %d", r.Option.Label, r.Votes))
	}
	return results
}

// wantResults checks the whole tally, each option given as "label: votes".
func (l *ledger) wantResults(t rapid.TB, want ...string) {
	t.Helper()
	if got := l.results(t); !slices.Equal(got, want) {
		t.Fatalf("the tally is %q, want %q", got, want)
	}
}
