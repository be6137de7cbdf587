package views

import (
	"time"

	"github.com/oponn/oponn"
)

// WriteIn is the value of the field choice of a vote that writes in an option
// of its own, in the field write_in.
const WriteIn = "write_in"

// Vote is the data of the page on which one votes.
type Vote struct {
	// ID is the ballot's, as it stands in links.
	ID           string
	Question     string
	Options      []oponn.Option
	AllowWriteIn bool
	Status       oponn.Status
	// Votes counts voters. HideVotes says that it is not for everybody.
	Votes     uint64
	HideVotes bool
	// OpensAt is when a scheduled ballot opens.
	OpensAt time.Time
	// ClosesAt is when the ballot closes; zero is never.
	ClosesAt time.Time
	// VoteID is the fresh vote id of an empty form, or the one that came with
	// the form when it is shown again.
	VoteID string
	// Choice is what was chosen when the form is shown again: an option's id,
	// WriteIn, or empty.
	Choice string
	// WriteInText is what was typed when the form is shown again.
	WriteInText string
	// Errors are of the fields choice (or choices) and write_in.
	Errors []oponn.FieldError
	// Problem is what went wrong that is no field's fault; nil if nothing did.
	Problem *Problem
	// ShareURL is the absolute address of this page, for the link and the QR
	// code.
	ShareURL string
}

// VotePage returns the page on which one votes. Without the possibility to
// vote, before opening and after closing, it says so and has no form.
func VotePage(p Page, d Vote) View {
	return View{page: p, title: d.Question, main: voteMain(p, d)}
}
