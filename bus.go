package oponn

import (
	"context"
	"time"
)

// Notice tells other instances that a head moved. It is a hint: the state in
// it is sealed, and one that doesn't open changes nothing.
type Notice struct {
	Ballot BallotID
	Head   Head
	// Gone says that the ballot was deleted; Head is empty then.
	Gone bool
	// Roll makes it a notice about viewers; Head is empty then.
	Roll *Roll
	// Age makes it word of how long a vote has taken so far; Head is empty then.
	Age *Age
}

// Age is an instance's word of how old a vote was when the version that counts
// it had been published. It is there to be measured with, and nothing else.
type Age struct {
	// Instance tells the words of one instance from another's.
	Instance uint64
	Version  uint64
	// Age is at most MaxAge.
	Age time.Duration
}

// MaxAge is the greatest age that is told.
const MaxAge = time.Minute

// Roll is a word of one instance to the others about how many watch a ballot
// there. It is a hint that nobody vouches for, and good for a few seconds.
type Roll struct {
	// Instance tells the words of one instance from another's.
	Instance uint64
	Watching int
	// Asks has the others tell theirs.
	Asks bool
}

// Bus carries notices between instances: at most once, in any order, also to
// the instance that published. It is safe for concurrent use.
type Bus interface {
	// Publish hands a notice over. It doesn't wait for receivers; an error
	// says that it may be lost.
	Publish(ctx context.Context, notice Notice) error

	// Receive sets where the notices of followed ballots go, once, before the
	// first Follow. The function must not block.
	Receive(func(Notice))

	// Follow and Unfollow say which ballots this instance wants to hear of.
	// They don't wait.
	Follow(ballot BallotID)
	Unfollow(ballot BallotID)

	// Close ends the delivery of notices.
	Close() error
}
