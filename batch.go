package oponn

import (
	"fmt"
	"slices"
	"time"
)

// Batch asks the store to move one ballot's head by one version: to accept
// votes, to change the ballot, or only to let its status follow the time.
type Batch struct {
	Ballot BallotID
	// Votes are those whose earlier revisions Apply needs, in the order of
	// Ground.Earlier. No voter and no vote id need be unique among them.
	Votes []Vote
	// Codes says that Apply needs to know which of the votes' tags are codes.
	Codes bool
	// WriteIns is the number of the last write-in that Apply knows already.
	WriteIns int
	// Head is the newest one that the sender knows, with which Apply may be tried
	// before the transaction; the zero Head is none. A store keeps such an effect
	// only if that was the head when it held its lock, and if it was neither too
	// early nor too late for the effect then. The context may not end that wait.
	Head Head
	// Apply decides. The store calls it inside the transaction or before it, a
	// few times for every attempt, and never twice at the same time.
	Apply Apply
}

// Decide runs Apply and checks its effect. An error, or a panic with its stack,
// is in the answer.
func (b Batch) Decide(ground Ground) (done Appended) {
	defer func() {
		if r := recover(); r != nil {
			done = Appended{Err: Internal(fmt.Errorf("apply panicked: %v\n%s", r, Stack()))}
		}
	}()
	effect, err := b.Apply(ground)
	if err == nil {
		err = effect.Check(ground.Head)
	}
	if err != nil {
		return Appended{Err: err}
	}
	return Appended{Effect: effect}
}

// Takes says whether every vote of the batch got in by an effect, or repeats
// another of the batch. Then an Apply that was told of no earlier votes has not
// erred, provided that the log takes the rows: its key refuses those of a voter
// who is there already.
func (b Batch) Takes(e Effect) bool {
	return len(e.Outcomes) == len(b.Votes) && !slices.ContainsFunc(e.Outcomes, func(o Outcome) bool { return o.Err != nil })
}

// Apply computes what a batch does to a head. It is pure: the same ground
// gives the same effect, and it changes nothing of what it is given. An error
// or a panic leaves this batch out and the rest of the transaction unharmed.
type Apply func(Ground) (Effect, error)

// Ground is what a transaction has read under the head's lock.
type Ground struct {
	Head Head
	// Now is the store's clock, read after the lock was held; or, with a Head
	// that is taken for the newest, about to be read then.
	Now time.Time
	// Earlier holds, for each vote of the batch, all that this voter has in
	// the log, by revision. A store may leave it empty at first; then it calls
	// Apply again, with what is there, unless Batch.Takes the effect and the
	// log takes the rows.
	Earlier [][]LoggedVote
	// Codes says of each vote of the batch whether its tag is a code's; nil
	// when Batch.Codes didn't ask.
	Codes []bool
	// WriteIns are those with numbers above Batch.WriteIns, in order.
	WriteIns []SealedWriteIn
}

// Effect is what a batch does. The store keeps Head, Logged, Added and
// Definition in one transaction; the rest is for whoever sent the batch.
type Effect struct {
	// Head is the next head; the one before when nothing changed.
	Head Head
	// Logged are the rows to append, in the order of their positions.
	Logged []LoggedVote
	// Added are the write-ins to keep.
	Added []SealedWriteIn
	// Definition is the sealed definition to keep from now on; nil when it
	// stays as it is.
	Definition []byte
	// Tombstone deletes the ballot: its record, wrapped key, head and
	// write-ins go, and only its id and the time remain. From then on it is
	// CodeGone. The log, unreadable now, may go later.
	Tombstone bool

	// Outcomes tell the fate of each vote, in the order of Batch.Votes.
	Outcomes []Outcome
	// Refused says why the owner's change was not made, if there was one. The
	// votes are none the worse for it.
	Refused error
	// Edited is the plaintext of Definition.
	Edited *Definition
	// State is the plaintext of Head.Sealed.
	State State
	// WriteIns are all that the ballot has now and Apply did not know before.
	WriteIns []WriteIn
}

// Check returns CodeInternal for an effect that would leave a gap in versions,
// positions or write-ins, or move another ballot than the given head's: a
// fault of ours that must not reach the log. Every store calls it.
func (e Effect) Check(before Head) error {
	after := e.Head
	wrong := func(format string, args ...any) error {
		return Internal(fmt.Errorf("the effect "+format, args...))
	}
	switch {
	case e.Tombstone:
		return nil
	case after.Ballot != before.Ballot:
		return wrong("is on ballot %s, the ground on %s", after.Ballot, before.Ballot)
	case after.Version == before.Version && (len(e.Logged) > 0 || len(e.Added) > 0 || e.Definition != nil):
		return wrong("adds rows without a new version")
	case after.Version != before.Version && after.Version != before.Version+1:
		return wrong("leads from version %d to %d", before.Version, after.Version)
	case after.Position != before.Position+uint64(len(e.Logged)):
		return wrong("leads from position %d to %d with %d votes", before.Position, after.Position, len(e.Logged))
	case after.WriteIns != before.WriteIns+len(e.Added):
		return wrong("leads from write-in %d to %d with %d added", before.WriteIns, after.WriteIns, len(e.Added))
	}
	for i, vote := range e.Logged {
		if vote.Position != before.Position+uint64(i)+1 || vote.Version != after.Version {
			return wrong("has a vote at position %d and version %d", vote.Position, vote.Version)
		}
	}
	for i, w := range e.Added {
		if w.Number != before.WriteIns+i+1 {
			return wrong("adds write-in %d after %d", w.Number, before.WriteIns+i)
		}
	}
	return nil
}

// Appended is what became of a batch: its effect, committed, or an error.
//
// CodeStoreUnavailable and CodeBusy say that it was not done.
// CodeOutcomeUnknown says that the answer to COMMIT was lost: append the same
// batch again; it waits for the head's lock, finds its votes by their ids if
// they were committed, and commits itself before it is answered.
// CodeNotFound and CodeGone say that there is no such head. An error or panic
// of Apply comes as it is, or as CodeInternal.
type Appended struct {
	Effect Effect
	Err    error
}
