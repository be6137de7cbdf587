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
	// Revision is that of the definition that the voter had before them; nil
	// for whichever it is now.
	Revision *uint32
}

// Admits returns nil for a vote that comes in the way the ballot is protected,
// and is about its question as it stands, else CodeVoterRequired, or
// CodeInvalid on the field code or revision.
func (b *Ballot) Admits(cast *Cast) error {
	codes := b.Definition.Protection == ProtectedByCodes
	switch {
	case codes && !cast.ByCode:
		return Errorf(CodeVoterRequired, "This ballot takes votes by code alone.")
	case !codes && cast.ByCode:
		return Invalid(FieldError{Field: "code", Code: "not_allowed", Message: "This ballot takes no codes."})
	}
	if cast.Revision != nil && *cast.Revision != b.Definition.Revision {
		return Invalid(FieldError{Field: "revision", Code: "stale", Message: "The question or its options have been changed meanwhile. Please look at them again."})
	}
	return nil
}
