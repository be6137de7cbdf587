package oponn

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
	// Sealed is the State, bound to Version.
	Sealed []byte
}
