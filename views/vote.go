package views

import (
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/oponn/oponn"
)

// WriteIn is the value of the field choice of a vote that writes in an option
// of its own, in the field write_in.
const WriteIn = "write_in"

// The values of the query code of the vote page. Both show the field where a
// code is typed, whatever code the browser has shown.
const (
	CodeAnother = "another" // to vote with another one
	CodeRefused = "refused" // after a link with one that can't be any
)

// Vote is the data of the page on which one votes.
type Vote struct {
	// ID is the ballot's, as it stands in links.
	ID           string
	Question     string
	Options      []oponn.Option
	AllowWriteIn bool
	// Rules are the ballot's.
	Rules oponn.Rules
	// Replacing is the receipt of the visitor's vote, when they are about to
	// vote anew; empty for one who has not voted.
	Replacing string
	// Revision is that of the question and options.
	Revision uint32
	Status   oponn.Status
	// Votes counts voters. HideVotes says that it is not for everybody.
	Votes     uint64
	HideVotes bool
	// OpensAt is when a scheduled ballot opens.
	OpensAt time.Time
	// ClosesAt is when the ballot closes; zero is never.
	ClosesAt time.Time
	// ClosedAt is when a closed ballot was closed.
	ClosedAt time.Time
	// VoteID is the fresh vote id of an empty form, or the one that came with
	// the form when it is shown again.
	VoteID string
	// Choices are what was chosen when the form is shown again: ids of options,
	// and WriteIn.
	Choices []string
	// WriteInText is what was typed when the form is shown again.
	WriteInText string
	// HoldsCode says that the browser has shown a code of this ballot.
	HoldsCode bool
	// Code is what was typed as the code of a ballot that is protected by codes.
	Code string
	// Errors are of the fields choice (or choices), write_in, code and revision.
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
	v := View{page: p, title: d.Question, main: voteMain(p, d), preview: previewOf(d.Question, d.ShareURL)}
	if d.Status == oponn.Scheduled {
		v.refresh = refreshSeconds
	}
	return v
}

// liveURL is the address of the stream of the page's status.
func (d Vote) liveURL() string { return "/ballots/" + d.ID + "/live?only=status&until=gone" }

// several says whether more than one option may be chosen.
func (d Vote) several() bool { return d.Rules.Range().Max > 1 }

// chosen says whether an option was chosen in the form.
func (d Vote) chosen(value string) bool { return slices.Contains(d.Choices, value) }

// kind is the type of the inputs of the choices.
func (d Vote) kind() string {
	if d.several() {
		return "checkbox"
	}
	return "radio"
}

// ask says in words how many options to choose.
func (d Vote) ask(p Page) string {
	bounds := d.Rules.Range()
	least, most := strconv.Itoa(bounds.Min), strconv.Itoa(bounds.Max)
	switch {
	case bounds.Max == 1:
		return p.t("vote.options")
	case bounds.Min == bounds.Max:
		return p.t("vote.options.exactly", most)
	case !d.AllowWriteIn && bounds.Min == 1 && bounds.Max >= len(d.Options):
		return p.t("vote.options.any")
	default:
		return p.t("vote.options.between", least, most)
	}
}

// notes say what a voter should know before voting: what protects the ballot
// and what that can't prevent, who sees what and when, and what can be undone.
func (d Vote) notes(p Page) []string {
	notes := []string{p.t("vote.protection." + d.Rules.Protection.String()), p.t("vote.visibility." + d.Rules.Visibility.String())}
	if d.Rules.AllowChange {
		notes = append(notes, p.t("vote.change"))
	} else {
		notes = append(notes, p.t("vote.no_change"))
	}
	if d.AllowWriteIn && d.Rules.WriteIns == oponn.WriteInsModerated {
		notes = append(notes, p.t("vote.moderated"))
	}
	return append(notes, p.Locale.N("vote.retention", uint64(d.Rules.Retention()/(24*time.Hour))))
}

// described are the attributes of the group of choices; a group of checkboxes
// can't be called invalid.
func (d Vote) described(err string) templ.Attributes {
	if d.several() {
		return described("choice", err, false)
	}
	return wrong("choice", err, false)
}
