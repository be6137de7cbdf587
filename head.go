package oponn

import "time"

// Head is a ballot's one row of truth. Every visible change moves it by
// exactly one version, under its row lock.
type Head struct {
	Ballot BallotID
	// Version counts the visible changes; creating the ballot is the first.
	Version uint64
	// Position is the last position in the log of votes.
	Position uint64
	// Voters is how many have voted: the number of different tags in the log.
	Voters uint64
	// WriteIns is the number of the last write-in.
	WriteIns int
	// ExpiresAt is when the ballot's retention ends, unless something happens
	// before; zero for one that was stored before there was a retention. It is
	// kept in the clear, so that whoever purges needs no key.
	ExpiresAt time.Time
	// Sealed is the State, bound to Version.
	Sealed []byte
}
