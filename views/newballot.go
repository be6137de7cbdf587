package views

import "github.com/oponn/oponn"

// The values of the field closes of the form for a new ballot.
const (
	ClosesNever = "never"
	Closes10m   = "10m"
	Closes1h    = "1h"
	Closes24h   = "24h"
	// ClosesAt is at the time that the field closes_at gives.
	ClosesAt = "at"
)

// closesValues are in the order of the form.
var closesValues = []string{ClosesNever, Closes10m, Closes1h, Closes24h, ClosesAt}

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
	Options      []string
	AllowWriteIn bool
	// Closes is one of the Closes constants; empty is ClosesNever.
	Closes string
	// ClosesAt is a datetime-local value (2006-01-02T15:04) as typed: with
	// TZOffset added, it is UTC.
	ClosesAt string
	// TZOffset is how many minutes to add to ClosesAt to get UTC, as typed:
	// "0" or empty without a script, else from "-840" to "720".
	TZOffset string
	// Errors are of the fields question, options, options[i], closes_at.
	Errors []oponn.FieldError
	// Problem is what went wrong that is no field's fault; nil if nothing did.
	Problem *Problem
}

// NewPage returns the form for a new ballot.
func NewPage(p Page, d NewBallot) View {
	return View{page: p, title: p.t("new.title"), current: "/new", main: newMain(p, d)}
}

// rows returns the options padded to n rows.
func (d NewBallot) rows(n int) []string {
	rows := append([]string(nil), d.Options...)
	for len(rows) < n {
		rows = append(rows, "")
	}
	return rows
}

// offset returns TZOffset as a number in any case.
func (d NewBallot) offset() string {
	if d.TZOffset == "" {
		return "0"
	}
	return d.TZOffset
}
