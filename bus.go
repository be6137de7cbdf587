package oponn

import "context"

// Notice tells other instances that a head moved. It is a hint: the state in
// it is sealed, and one that doesn't open changes nothing.
type Notice struct {
	Ballot BallotID
	Head   Head
	// Gone says that the ballot was deleted; Head is empty then.
	Gone bool
	// Roll makes it a notice about viewers; Head is empty then.
	Roll *Roll
}

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
