package http

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // where the machine has no time zones

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// keptOptions is how many options a form keeps, to show them again: more than a
// ballot may have, so that nobody who is told loses what was typed; not as many
// as would make the page ten times as long as what was sent.
const keptOptions = 2 * oponn.MaxOptions

// readNewBallot reads the form for a new ballot. Empty rows of options are
// there to be left empty.
func readNewBallot(form url.Values) views.NewBallot {
	filled := views.NewBallot{
		Question: form.Get("question"),
		Rows:     len(form["options"]),
		Window:   readFormWindow(form),
		Kind:     oneOr(form.Get("kind"), views.KindSingle), Min: form.Get("choices_min"), Max: form.Get("choices_max"),
		WriteIns: oneOr(form.Get("write_ins"), views.WriteInsOff), Visibility: form.Get("visibility"), Protection: form.Get("protection"),
		Shuffle: form.Get("shuffle_options") != "", AllowChange: form.Get("allow_change") != "",
		JoinCode:      form.Get("join_code") != "",
		RetentionDays: strings.TrimSpace(form.Get("retention_days")),
	}
	if form.Get("allow_write_in") != "" && !form.Has("write_ins") {
		filled.WriteIns = oponn.WriteInsOpen.String() // a form of the release before
	}
	for _, option := range form["options"] {
		if strings.TrimSpace(option) != "" && len(filled.Options) < keptOptions {
			filled.Options = append(filled.Options, option)
		}
	}
	return filled
}

func readFormWindow(form url.Values) views.FormWindow {
	return views.FormWindow{
		Opens: oneOr(form.Get("opens"), views.OpensNow), OpensAt: form.Get("opens_at"),
		Closes: oneOr(form.Get("closes"), views.ClosesNever), ClosesAt: form.Get("closes_at"),
		Zone: form.Get("zone"),
	}
}

// oneOr returns the value, or the other where there is none.
func oneOr(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// formDraft returns the ballot that a form asks for, and what is wrong in the
// fields that don't reach it.
func formDraft(filled views.NewBallot, now time.Time) (oponn.Draft, []oponn.FieldError) {
	draft := oponn.Draft{Question: filled.Question, Options: filled.Options, AllowWriteIn: filled.WriteIns != views.WriteInsOff}
	rules := &draft.Rules
	rules.Visibility, rules.Protection = oponn.Visibility(filled.Visibility), oponn.Protection(filled.Protection)
	rules.AllowChange, rules.ShuffleOptions = filled.AllowChange, filled.Shuffle
	rules.JoinCode = filled.JoinCode
	if draft.AllowWriteIn {
		rules.WriteIns = oponn.Moderation(filled.WriteIns)
	}
	var wrong []oponn.FieldError
	var bad []oponn.FieldError
	draft.Window, wrong = formWindow(filled.Window, now)
	rules.Choices, bad = formBounds(filled)
	wrong = append(wrong, bad...)
	if filled.RetentionDays != "" {
		days, err := strconv.Atoi(typed(filled.RetentionDays))
		if err != nil || days == 0 {
			days = -1 // out of every range
		}
		rules.RetentionDays = days
	}
	return draft, wrong
}

// formBounds returns how many options voters choose: of an approval ballot at
// least one and at most all of them, where nothing is said.
func formBounds(filled views.NewBallot) (oponn.Bounds, []oponn.FieldError) {
	switch filled.Kind {
	case views.KindSingle:
		return oponn.Bounds{}, nil
	case views.KindApproval:
	default:
		return oponn.Bounds{}, []oponn.FieldError{{Field: "kind", Code: "unknown", Message: "There is no such setting."}}
	}
	bounds := oponn.Bounds{Min: 1, Max: max(len(filled.Options), oponn.MinOptions)}
	for text, end := range map[string]*int{filled.Min: &bounds.Min, filled.Max: &bounds.Max} {
		if text = typed(text); text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return oponn.Bounds{}, []oponn.FieldError{{Field: "choices", Code: "malformed", Message: "Please give whole numbers."}}
		}
		*end = n
	}
	return bounds, nil
}

// formWindow returns when the ballot opens and closes. A ballot that opens
// later closes so long after its opening.
func formWindow(filled views.FormWindow, now time.Time) (oponn.Window, []oponn.FieldError) {
	var window oponn.Window
	zone, bad := formZone(filled.Zone)
	if bad != nil {
		return window, []oponn.FieldError{*bad}
	}
	var wrong []oponn.FieldError
	switch filled.Opens {
	case views.OpensNow:
	case views.OpensAt:
		at, bad := localMoment("opens_at", filled.OpensAt, zone)
		if bad == nil && at.Before(now.Truncate(time.Minute)) { // the field has no seconds
			bad = &oponn.FieldError{Field: "opens_at", Code: "past", Message: "The opening time has already passed."}
		}
		if bad != nil {
			wrong = append(wrong, *bad)
		}
		window.OpensAt = at
	default:
		wrong = append(wrong, oponn.FieldError{Field: "opens", Code: "unknown", Message: "Please choose when the ballot opens."})
	}
	begin := now
	if window.OpensAt.After(now) {
		begin = window.OpensAt
	}
	at, bad := formClosing(filled, begin, zone)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	window.ClosesAt = at
	return window, wrong
}

// formClosing returns when the ballot closes, some time after begin or at a
// time by the zone's clocks; zero for never.
func formClosing(filled views.FormWindow, begin time.Time, zone *time.Location) (time.Time, *oponn.FieldError) {
	switch filled.Closes {
	case views.ClosesNever:
		return time.Time{}, nil
	case views.Closes10m:
		return begin.Add(10 * time.Minute), nil
	case views.Closes1h:
		return begin.Add(time.Hour), nil
	case views.Closes24h:
		return begin.Add(24 * time.Hour), nil
	case views.ClosesAt:
		return localMoment("closes_at", filled.ClosesAt, zone)
	default:
		return time.Time{}, &oponn.FieldError{Field: "closes", Code: "unknown", Message: "Please choose when the ballot closes."}
	}
}

// maxZone is longer than any zone's name.
const maxZone = 64

// formZone returns the time zone of a name; UTC for none.
func formZone(name string) (*time.Location, *oponn.FieldError) {
	unknown := &oponn.FieldError{Field: "zone", Code: "unknown", Message: "There is no such time zone."}
	if len(name) > maxZone || name == "Local" { // the server's own is nobody's business
		return nil, unknown
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknown
	}
	return zone, nil
}

// localMoment reads what a browser's field for date and time sends.
func localMoment(field, text string, zone *time.Location) (time.Time, *oponn.FieldError) {
	if text == "" {
		return time.Time{}, &oponn.FieldError{Field: field, Code: "required", Message: "Please give a date and time."}
	}
	// Browsers add seconds where they are not zero.
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		typed, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at := time.Date(typed.Year(), typed.Month(), typed.Day(), typed.Hour(), typed.Minute(), typed.Second(), 0, zone)
		if at.Hour() != typed.Hour() || at.Minute() != typed.Minute() { // Go takes another time where there is none
			return time.Time{}, &oponn.FieldError{Field: field, Code: "skipped", Message: "There is no such time in this zone: the clocks are put forward over it."}
		}
		return at, nil
	}
	return time.Time{}, &oponn.FieldError{Field: field, Code: "malformed", Message: "This is not a date and time."}
}

// formLike returns the form for another ballot like one that there is.
func formLike(d oponn.Definition) views.NewBallot {
	filled := views.NewBallot{Question: d.Question, Options: d.Labels, Kind: views.KindSingle, WriteIns: views.WriteInsOff,
		Visibility: d.Visibility.String(), Protection: d.Protection.String(), Shuffle: d.ShuffleOptions, AllowChange: d.AllowChange, JoinCode: d.JoinCode}
	if d.AllowWriteIn {
		filled.WriteIns = d.WriteIns.String()
	}
	if bounds := d.Range(); bounds.Max > 1 {
		filled.Kind, filled.Min, filled.Max = views.KindApproval, strconv.Itoa(bounds.Min), strconv.Itoa(bounds.Max)
	}
	if d.RetentionDays > 0 {
		filled.RetentionDays = strconv.Itoa(d.RetentionDays)
	}
	return filled
}
