package oponn

// Cast is a vote as a voter sends it, not yet checked.
type Cast struct {
	Ballot BallotID
	Voter  VoterID
	VoteID VoteID
	// Choices are ids of options; WriteIn is a text instead of them.
	Choices []OptionID
	WriteIn string
}
