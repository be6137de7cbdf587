package oponn

import (
	"strconv"
	"time"
)

// Rules are what an owner decides about a ballot besides its question, options
// and window. The zero Rules are the defaults, and of each rule the zero value
// is its default: definitions that were stored before a rule existed have it.
// The JSON form is the stored format.
type Rules struct {
	// Choices is how many options a voter chooses; see Definition.Choices.
	Choices Bounds `json:"choices,omitzero"`
	// Visibility says who may see the counts.
	Visibility Visibility `json:"visibility,omitempty"`
	// Protection says what lets somebody vote once.
	Protection Protection `json:"protection,omitempty"`
	// WriteIns says when an option that a voter added is shown.
	WriteIns Moderation `json:"write_ins,omitempty"`
	// AllowChange lets voters vote again while the ballot is open; their last
	// vote counts.
	AllowChange bool `json:"allow_change,omitempty"`
	// ShuffleOptions has forms show the owner's options in an order of each
	// voter's own; see Ballot.Order.
	ShuffleOptions bool `json:"shuffle_options,omitempty"`
	// JoinCode has the ballot found by six digits while it is open.
	JoinCode bool `json:"join_code,omitempty"`
	// RetentionDays is how long the ballot is kept, from its closing, else from
	// the last vote; zero for DefaultRetention.
	RetentionDays int `json:"retention_days,omitempty"`
}

// Bounds are the least and the most that is taken.
type Bounds struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Visibility says who may see counts. The owner always may.
type Visibility string

// The kinds of visibility.
const (
	VisibleAlways       Visibility = ""              // to all
	VisibleAfterVoting  Visibility = "after_voting"  // to those who have voted
	VisibleAfterClosing Visibility = "after_closing" // to all, once the ballot is closed
	VisibleToOwner      Visibility = "owner"         // to nobody else
)

// Protection says what lets somebody vote once.
type Protection string

// The kinds of protection.
const (
	ProtectedByBrowser Protection = ""      // a cookie or token of the voter's
	ProtectedByCodes   Protection = "codes" // a code that the owner handed out
)

// Moderation says when an option that a voter added is shown.
type Moderation string

// The kinds of moderation.
const (
	WriteInsOpen      Moderation = ""          // at once
	WriteInsModerated Moderation = "moderated" // once the owner approves
)

// DefaultRetention and MaxRetention are days that a ballot is kept.
const (
	DefaultRetention = 90
	MaxRetention     = 3650
)

// String returns the public name.
func (v Visibility) String() string { return named(string(v), "always") }

// String returns the public name.
func (p Protection) String() string { return named(string(p), "browser") }

// String returns the public name.
func (m Moderation) String() string { return named(string(m), "open") }

func named(value, none string) string {
	if value == "" {
		return none
	}
	return value
}

// Range returns how many options a voter chooses; a write-in counts as one.
func (r *Rules) Range() Bounds {
	if r.Choices == (Bounds{}) {
		return Bounds{Min: 1, Max: 1}
	}
	return r.Choices
}

// Retention returns how long the ballot is kept, from its closing, else from
// the last vote.
func (r *Rules) Retention() time.Duration {
	days := r.RetentionDays
	if days == 0 {
		days = DefaultRetention
	}
	return time.Duration(days) * 24 * time.Hour
}

// check returns the rules in their stored form and what is wrong with them on
// a ballot with so many options.
func (r Rules) check(options int, writeIns bool) (Rules, []FieldError) {
	var wrong []FieldError
	flag := func(field, code, message string) {
		wrong = append(wrong, FieldError{Field: field, Code: code, Message: message})
	}
	most := options
	if writeIns {
		most = MaxOptions
	}
	switch c := r.Range(); {
	case c.Min < 1 || c.Max < 1:
		flag("choices", "too_few", "Voters choose at least one option.")
	case c.Min > c.Max:
		flag("choices", "min_above_max", "The least number of choices is above the most.")
	case options >= MinOptions && (c.Max > most || c.Min > options):
		flag("choices", "too_many", "Voters can't choose more options than there are.")
	case c == Bounds{Min: 1, Max: 1}:
		r.Choices = Bounds{}
	}
	oneOf := func(field, value string, allowed ...string) string {
		if value == "" || value == allowed[0] {
			return ""
		}
		for _, name := range allowed[1:] {
			if value == name {
				return value
			}
		}
		flag(field, "unknown", "There is no such setting.")
		return value
	}
	r.Visibility = Visibility(oneOf("visibility", string(r.Visibility), "always", "after_voting", "after_closing", "owner"))
	r.Protection = Protection(oneOf("protection", string(r.Protection), "browser", "codes"))
	r.WriteIns = Moderation(oneOf("write_ins", string(r.WriteIns), "open", "moderated"))
	switch {
	case r.RetentionDays < 0 || r.RetentionDays > MaxRetention:
		flag("retention_days", "out_of_range", "A ballot is kept between 1 and "+strconv.Itoa(MaxRetention)+" days.")
	case r.RetentionDays == DefaultRetention:
		r.RetentionDays = 0
	}
	return r, wrong
}

// expires returns when the ballot shall be gone: its retention after it closed
// or is planned to, else after the last sign of life. It returns the time
// before when there was no such sign.
func (r *Rules) expires(before time.Time, s State, alive bool, now time.Time) time.Time {
	switch {
	case s.Status == Closed:
		return s.ClosedAt.Add(r.Retention())
	case alive || before.IsZero():
		return microseconds(latest(now, s.OpensAt, s.ClosesAt)).Add(r.Retention())
	default:
		return before
	}
}

// FirstExpiry returns when a new ballot shall be gone if nothing happens.
func (r *Rules) FirstExpiry(s State, now time.Time) time.Time {
	return r.expires(time.Time{}, s, true, now)
}

func latest(t time.Time, others ...time.Time) time.Time {
	for _, other := range others {
		if other.After(t) {
			t = other
		}
	}
	return t
}
