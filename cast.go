package oponn

// Cast is a vote as a voter sends it, not yet checked.
type Cast struct {
	Ballot BallotID
	Voter  VoterID
	VoteID VoteID
	// ByCode says that the voter is the one of a code (see VotingCode).
	ByCode bool
	// Choices are ids of options; WriteIn is a text besides or instead of them.
	Choices []OptionID
	WriteIn string
}

// Admits returns nil for a vote that comes in the way the ballot is protected,
// else CodeVoterRequired, or CodeInvalid on the field code.
func (b *Ballot) Admits(cast *Cast) error {
	codes := b.Definition.Protection == ProtectedByCodes
	switch {
	case codes && !cast.ByCode:
		return Errorf(CodeVoterRequired, "This ballot takes votes by code alone.")
	case !codes && cast.ByCode:
		return Invalid(FieldError{Field: "code", Code: "not_allowed", Message: "This ballot takes no codes."})
	}
	return nil
}
