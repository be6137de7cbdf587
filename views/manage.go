package views

import (
	"slices"
	"strings"

	"github.com/oponn/oponn"
)

// What an owner can ask for on the page of a ballot: the values of the field
// action.
const (
	ActionEdit   = "edit"
	ActionOpen   = "open"
	ActionClose  = "close"
	ActionExtend = "extend"
	ActionHide   = "hide"
	ActionShow   = "show"
	ActionDelete = "delete"
)

// Manage is the data of the owner's page.
type Manage struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	// Result is the owner's view of it.
	Result Result
	Kept   Retention
	// Edit is the form for question and options, as it was filled in; nil where
	// people have voted.
	Edit *NewBallot
	// WriteIns are the options that voters added, the hidden ones with them.
	WriteIns []oponn.Result
	// Codes are those that vote here; nil where none do.
	Codes *ManageCodes
	// Window is what was filled in to move the closing.
	Window FormWindow
	// Done is the action that was just done; empty for none.
	Done string
	// Confirm says that the owner wants to delete the ballot, and is asked once.
	Confirm bool
	// Errors are of the fields closes, closes_at, zone, count, question and
	// options.
	Errors []oponn.FieldError
	// Problem is what went wrong that is no field's fault; nil if nothing did.
	Problem *Problem
	// ShareURL is the absolute address of the vote page.
	ShareURL string
	// JoinCode is the ballot's; empty for none.
	JoinCode oponn.JoinCode
}

// ManagePage returns the owner's page.
func ManagePage(p Page, d Manage) View {
	return View{page: p, title: p.t("manage.title", d.Question), main: manageMain(p, d)}
}

// KeyPage returns the page that asks for the owner key of a ballot.
func KeyPage(p Page, id string, errors []oponn.FieldError) View {
	return View{page: p, title: p.t("manage.key.title"), main: keyMain(p, id, fieldErrors{locale: p.Locale, errors: errors})}
}

// done says what was just done; empty for nothing.
func (d Manage) done(p Page) string {
	if d.Done == "" || !p.Locale.Has("manage.done."+d.Done) {
		return ""
	}
	return p.t("manage.done." + d.Done)
}

// editing says whether question and options are being edited.
func (d Manage) editing() bool {
	return d.Edit.Rows > 0 || slices.ContainsFunc(d.Errors, func(e oponn.FieldError) bool {
		return e.Field == "question" || strings.HasPrefix(e.Field, "options")
	})
}

// path is where the page's forms are sent.
func (d Manage) path() string { return "/ballots/" + d.ID + "/manage" }
