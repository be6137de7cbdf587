package views

import (
	"slices"
	"strings"

	"github.com/oponn/oponn"
)

// The values of the field kind: how many options a voter chooses.
const (
	KindSingle   = "single"
	KindApproval = "approval"
)

// WriteInsOff is the value of the field write_ins that allows none.
const WriteInsOff = "off"

// writeInsValues, visibilities and kinds are in the order of the form.
var (
	kinds          = []string{KindSingle, KindApproval}
	writeInsValues = []string{WriteInsOff, oponn.WriteInsOpen.String(), oponn.WriteInsModerated.String()}
	protections    = []string{oponn.ProtectedByBrowser.String(), oponn.ProtectedByCodes.String()}
	visibilities   = []string{oponn.VisibleAlways.String(), oponn.VisibleAfterVoting.String(), oponn.VisibleAfterClosing.String(), oponn.VisibleToOwner.String()}
)

// How many rows for options the form has: with a script, which adds and
// removes them, and more of them without one.
const (
	optionRows         = 4
	optionRowsNoScript = 10
)

// NewBallot is the form for a new ballot as it was filled in; the zero value
// is the empty form.
type NewBallot struct {
	Question string
	// Options are the labels as typed, without the empty rows. An error of
	// options[i] is about the i-th of these.
	Options []string
	// Rows is how many rows for options are wanted, the empty ones with them.
	Rows   int
	Window FormWindow
	// Kind is KindSingle or KindApproval; empty is the first.
	Kind string
	// Min and Max are how many options are chosen on an approval ballot, as
	// typed.
	Min, Max string
	// WriteIns is WriteInsOff or a moderation's name; empty is off.
	WriteIns string
	// Visibility is one's name; empty is always.
	Visibility string
	// Protection is one's name; empty is the browser's.
	Protection           string
	Shuffle, AllowChange bool
	// JoinCode has the ballot found by six digits.
	JoinCode bool
	// RetentionDays is as typed; empty is the default.
	RetentionDays string
	// Errors are of the fields of a draft, and opens, closes, zone, kind.
	Errors []oponn.FieldError
	// Problem is what went wrong that is no field's fault; nil if nothing did.
	Problem *Problem
}

// NewPage returns the form for a new ballot.
func NewPage(p Page, d NewBallot) View {
	return View{page: p, title: p.t("new.title"), current: "/new", main: newMain(p, d)}
}

// rows returns the options padded to n rows, or as many as are wanted.
func (d NewBallot) rows(n int) []string {
	rows := append([]string(nil), d.Options...)
	for len(rows) < min(max(n, d.Rows), oponn.MaxOptions) {
		rows = append(rows, "")
	}
	return rows
}

// errors are what is wrong in the form. The number of choices is another
// matter here than on the page where one votes.
func (d NewBallot) errors(p Page) fieldErrors {
	errors := slices.Clone(d.Errors)
	for i := range errors {
		if errors[i].Field == "choices" {
			errors[i].Field = "choices_max"
		}
	}
	return fieldErrors{locale: p.Locale, errors: errors}
}

// ruled says whether the section with the rules shall be open: something there
// is wrong, or not as it is at first.
func (d NewBallot) ruled() bool {
	wrong := slices.ContainsFunc(d.Errors, func(e oponn.FieldError) bool {
		return e.Field != "question" && !strings.HasPrefix(e.Field, "options")
	})
	set := d.Window
	set.Zone = ""
	plain := set == FormWindow{} || set == FormWindow{Opens: OpensNow, Closes: ClosesNever}
	return wrong || !plain || d.Kind == KindApproval || d.WriteIns != "" && d.WriteIns != WriteInsOff ||
		d.Visibility != "" && d.Visibility != visibilities[0] || d.Protection != "" && d.Protection != protections[0] || d.Shuffle || d.AllowChange || d.JoinCode || d.RetentionDays != ""
}
