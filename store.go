package oponn

import (
	"context"
	"time"
)

// Record is all that the store keeps of a ballot but its votes.
type Record struct {
	Ballot BallotID
	// CreatedAt is the store's time, set by Store.Create.
	CreatedAt time.Time
	// OwnerKey is the SHA-256 of the owner's key.
	OwnerKey [32]byte
	// Owner is the SHA-256 of the OwnerID of the browser that made the ballot;
	// zero for none.
	Owner [32]byte
	Key   WrappedKey
	// Definition is the sealed Definition.
	Definition []byte
	Head       Head
	WriteIns   []SealedWriteIn
}

// Store keeps ballots and votes, and decides: whatever several instances do at
// once, its constraints and row locks make one order of it. It is safe for
// concurrent use.
//
// A missing ballot is CodeNotFound, a deleted one CodeGone; a database that
// can't answer is CodeStoreUnavailable, one at its limits CodeBusy, both with
// RetryAfter; so is one whose context has ended, and then errors.Is finds the
// context's error. What a method was given to write is durable before it returns.
type Store interface {
	VoteLog

	// Create keeps a new ballot with its first head, which must be at version
	// 1. It returns the time it set as CreatedAt. An id that is taken, also by
	// a tombstone, is CodeInternal; CodeOutcomeUnknown is possible.
	Create(ctx context.Context, record Record) (time.Time, error)

	// Load returns a ballot's record, with the write-ins by number.
	Load(ctx context.Context, ballot BallotID) (Record, error)

	// Heads returns the current heads of those of the given ballots that
	// exist, in any order, each once, by one query.
	Heads(ctx context.Context, ballots []BallotID) ([]Head, error)

	// Append applies batches, at most one for a ballot, in one transaction,
	// with heads locked in the order of ids, and answers in the order of
	// batches. One that fails does not hinder the others.
	Append(ctx context.Context, batches []Batch) []Appended

	// Rewrap replaces a ballot's wrapped key, from the one it was loaded with to
	// one that wraps the same DEK. When that has been done already it returns
	// nil. A record with another key is CodeBusy: load it again.
	// CodeOutcomeUnknown is possible: do the same again.
	Rewrap(ctx context.Context, ballot BallotID, from, to WrappedKey) error

	// Votes returns what a voter has in the log of a ballot, by revision. It
	// is empty, not an error, for a voter or ballot that is unknown.
	Votes(ctx context.Context, ballot BallotID, tag VoterTag) ([]LoggedVote, error)

	// AddCodes keeps the tags of codes that let somebody vote on a ballot. One
	// that is there already stays. More than MaxCodes in all are CodeInvalid
	// on the field count, and none is kept. CodeOutcomeUnknown is possible.
	AddCodes(ctx context.Context, ballot BallotID, tags []VoterTag) error

	// CountCodes returns how many codes a ballot has.
	CountCodes(ctx context.Context, ballot BallotID) (int, error)

	// Codes returns the tags of a ballot's codes, at most MaxCodes, in any
	// order. What was added before the call is among them.
	Codes(ctx context.Context, ballot BallotID) ([]VoterTag, error)

	// JoinCode returns the code that a ballot has, empty for none. A ballot that
	// is missing has none.
	JoinCode(ctx context.Context, ballot BallotID) (JoinCode, error)

	// ClaimJoinCode gives a ballot a code and returns it: the one it has or had
	// last, else the first of the candidates that is free. A code is free when
	// no ballot has it and JoinCodeRest has passed since the last one did. None
	// free is CodeBusy. The code is released by the Append that closes or
	// deletes the ballot; one that is claimed for a ballot that is closed by
	// then stays until that happens again. CodeOutcomeUnknown is possible: do
	// the same again.
	ClaimJoinCode(ctx context.Context, ballot BallotID, candidates []JoinCode) (JoinCode, error)

	// Joined returns the ballot that has the code, CodeNotFound for none.
	Joined(ctx context.Context, code JoinCode) (BallotID, error)

	// Pace counts the voters of a ballot by when they first voted, in the slots
	// of a span, without those that are empty. It reads the ballot's whole log,
	// beside the votes that come in meanwhile.
	Pace(ctx context.Context, ballot BallotID, span Span) ([]Slot, error)

	// Expired returns ballots whose retention has ended by the store's clock,
	// in any order, at most limit.
	Expired(ctx context.Context, limit int) ([]BallotID, error)

	// Owned returns the ballots of an owner, newest first, at most limit: the
	// next that were created before the edge, or after it; the newest when the
	// edge is zero. An edge that is missing is CodeNotFound or CodeGone. The
	// zero owner owns nothing.
	Owned(ctx context.Context, owner [32]byte, edge Edge, limit int) ([]Record, error)

	// Ballots returns the ids of all ballots in their order, at most limit,
	// after the given one.
	Ballots(ctx context.Context, after BallotID, limit int) ([]BallotID, error)

	// Scan reads a ballot's record and its log, in the order of positions, in
	// one snapshot, however many transactions go on beside it. It calls begin
	// once, then vote for each; an error of theirs ends it and is returned.
	Scan(ctx context.Context, ballot BallotID, begin func(Record) error, vote func(LoggedVote) error) error

	// Now returns the store's clock.
	Now(ctx context.Context) (time.Time, error)

	// Close waits for what is under way and releases the database.
	Close() error
}
