package views

// The values of the field opens of a form.
const (
	OpensNow = "now"
	// OpensAt is at the time that the field opens_at gives.
	OpensAt = "at"
)

// The values of the field closes of a form.
const (
	ClosesNever = "never"
	Closes10m   = "10m"
	Closes1h    = "1h"
	Closes24h   = "24h"
	// ClosesAt is at the time that the field closes_at gives.
	ClosesAt = "at"
)

// opensValues and closesValues are in the order of the form for a new ballot,
// extensions in that of the owner's page.
var (
	opensValues  = []string{OpensNow, OpensAt}
	closesValues = []string{ClosesNever, Closes10m, Closes1h, Closes24h, ClosesAt}
	extensions   = []string{Closes10m, Closes1h, Closes24h, ClosesAt, ClosesNever}
)

// FormWindow is when a ballot opens and closes, as it was filled in.
type FormWindow struct {
	// Opens is OpensNow, OpensAt, or empty for now; Closes one of the Closes
	// constants, or empty for never.
	Opens, Closes string
	// OpensAt and ClosesAt are datetime-local values (2006-01-02T15:04) as
	// typed, by the clocks of the zone.
	OpensAt, ClosesAt string
	// Zone is the IANA name of a time zone; empty is UTC, unless a script
	// knows better.
	Zone string
}
