// Package historytest holds what clients were told against what was kept. A
// test has its clients note what they send and what they are told, with times;
// at the end it hands over the log, and gets every broken promise:
//
//   - a vote that was acknowledged is in the log, once, as it was acknowledged
//   - one that was refused, or failed for certain, is not
//   - the votes of each voter are linearizable: the first one stands or, where
//     votes may be changed, the latest
//   - the log's order is that of time: who was acknowledged before another
//     began comes first
//   - every read is the fold of a prefix of the log, in which each voter's
//     latest vote counts, rises for each client, and holds what that client
//     said it had seen
package historytest

import (
	"sync"
	"time"
)

// Vote is a vote as its voter keeps it, to be sent as often as it takes.
type Vote struct {
	Ballot, Voter, ID string
	// Choice is the number of an option, from 0.
	Choice int
}

// Fate is what a client knows of what it sent.
type Fate int

// The fates.
const (
	// Unknown may or may not have happened, at any time since.
	Unknown Fate = iota
	// Accepted is done.
	Accepted
	// Refused is not done, by the rules: Code says which.
	Refused
	// Failed is not done, and may be sent again.
	Failed
)

// Answer is what a client was told.
type Answer struct {
	Fate Fate
	// Code is the error's, with Refused.
	Code string
	// Receipt and Version are those of an accepted vote; Replaces is the receipt
	// of the one whose place it took.
	Receipt, Replaces string
	Version           uint64
}

// Read is a result that a client was shown.
type Read struct {
	// Ballot is what was looked at, and Client who looked: one after the other,
	// from all instances.
	Ballot, Client string
	// Presented is the version that the client said it had seen; 0 for none.
	Presented uint64
	// Version is what was shown, with the number of voters and the counts of
	// the options. Counts are nil for the word that nothing has changed.
	Version uint64
	Voters  uint64
	Counts  []uint64
}

// History is what clients have noted. It is safe for concurrent use.
type History struct {
	begin time.Time

	mu    sync.Mutex
	casts []attempt
	turns []turn
	reads []Read
}

// attempt is a vote that was sent once, turn a ballot that was closed or
// opened.
type (
	attempt struct {
		span
		vote   Vote
		answer Answer
	}
	turn struct {
		span
		ballot string
		open   bool
		fate   Fate
	}
	// span is when something was sent and answered, in time since the beginning.
	span struct{ sent, answered time.Duration }
)

// New returns an empty history.
func New() *History { return &History{begin: time.Now()} }

// Send notes that a vote is about to be sent. The client calls answered with
// what it was told, or with the zero Answer when nobody answers.
func (h *History) Send(v Vote) (answered func(Answer)) {
	a := attempt{vote: v, span: span{sent: time.Since(h.begin)}}
	return func(answer Answer) {
		a.answer, a.answered = answer, time.Since(h.begin)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.casts = append(h.casts, a)
	}
}

// Turn notes that a ballot is about to be closed, or opened again.
func (h *History) Turn(ballot string, open bool) (answered func(Fate)) {
	t := turn{ballot: ballot, open: open, span: span{sent: time.Since(h.begin)}}
	return func(fate Fate) {
		t.fate, t.answered = fate, time.Since(h.begin)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.turns = append(h.turns, t)
	}
}

// Look notes what a client was shown.
func (h *History) Look(r Read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

// Figures are the size of a history.
type Figures struct {
	// Votes were sent in Attempts, and Repeats of these were sent again; of the
	// attempts, so many had a fate.
	Votes, Attempts, Repeats, Accepted, Refused, Failed, Unknown int
	// Acknowledged is how many votes were accepted at least once.
	Acknowledged int
	// Turns and Reads count the rest.
	Turns, Reads int
}

// Figures counts.
func (h *History) Figures() Figures {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := Figures{Attempts: len(h.casts), Turns: len(h.turns), Reads: len(h.reads)}
	times, acknowledged := map[string]int{}, map[string]bool{}
	for _, a := range h.casts {
		if times[a.vote.ID]++; times[a.vote.ID] == 2 {
			f.Repeats++
		}
		switch a.answer.Fate {
		case Accepted:
			acknowledged[a.vote.ID] = true
			f.Accepted++
		case Refused:
			f.Refused++
		case Failed:
			f.Failed++
		case Unknown:
			f.Unknown++
		}
	}
	f.Votes, f.Acknowledged = len(times), len(acknowledged)
	return f
}
