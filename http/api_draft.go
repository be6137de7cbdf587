package http

import (
	"encoding/json"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// readDraft reads a ballot as a program asks for it.
func (s *Server) readDraft(c echo.Context) (oponn.Draft, error) {
	var draft oponn.Draft
	var opens, closes *string
	var choices map[string]*int
	var retention *int
	rules := &draft.Rules
	err := readJSON(c, creationLimit, map[string]any{
		"question": &draft.Question, "options": (*labels)(&draft.Options), "allow_write_in": &draft.AllowWriteIn,
		"opens_at": &opens, "closes_at": &closes, "choices": &choices,
		"visibility": &rules.Visibility, "protection": &rules.Protection, "write_ins": &rules.WriteIns,
		"allow_change": &rules.AllowChange, "shuffle_options": &rules.ShuffleOptions, "join_code": &rules.JoinCode, "retention_days": &retention,
	})
	if err != nil {
		return oponn.Draft{}, err
	}
	rules.Choices = readBounds(choices["min"], choices["max"])
	if retention != nil {
		if rules.RetentionDays = *retention; *retention == 0 {
			rules.RetentionDays = -1 // not the default
		}
	}
	var wrong []oponn.FieldError
	for name := range choices {
		if name != "min" && name != "max" {
			wrong = append(wrong, oponn.FieldError{Field: "choices", Code: "unknown", Message: "The number of choices has min and max, nothing else."})
			break
		}
	}
	opensAt, bad := readMoment("opens_at", opens)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	closesAt, bad := readMoment("closes_at", closes)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	if len(wrong) > 0 {
		now, err := s.ballots.Now(c.Request().Context())
		if err != nil {
			return oponn.Draft{}, err
		}
		return oponn.Draft{}, invalidBesides(draft, now, wrong...)
	}
	draft.Window = oponn.Window{OpensAt: opensAt, ClosesAt: closesAt}
	return draft, nil
}

// readBounds returns how many options are chosen: one where nothing is said,
// and no less and no more than that where the other end is.
func readBounds(least, most *int) oponn.Bounds {
	switch {
	case least == nil && most == nil:
		return oponn.Bounds{}
	case least == nil:
		return oponn.Bounds{Min: 1, Max: *most}
	case most == nil:
		return oponn.Bounds{Min: *least, Max: max(*least, 1)}
	default:
		return oponn.Bounds{Min: *least, Max: *most}
	}
}

// readChange reads what an owner wants different.
func readChange(c echo.Context) (oponn.Change, error) {
	var change oponn.Change
	var status *string
	var closes, options json.RawMessage
	err := readJSON(c, creationLimit, map[string]any{"status": &status, "closes_at": &closes, "question": &change.Question, "options": &options})
	if err != nil {
		return oponn.Change{}, err
	}
	var wrong []oponn.FieldError
	if status != nil {
		if change.Status = oponn.Status(*status); change.Status != oponn.Open && change.Status != oponn.Closed {
			wrong = append(wrong, oponn.FieldError{Field: "status", Code: "unknown", Message: "A ballot can be set to open or closed, to nothing else."})
		}
	}
	if closes != nil {
		var text *string
		if json.Unmarshal(closes, &text) != nil {
			wrong = append(wrong, oponn.FieldError{Field: "closes_at", Code: "type", Message: "This field has a value of another type."})
		} else if at, bad := readMoment("closes_at", text); bad != nil {
			wrong = append(wrong, *bad)
		} else {
			change.ClosesAt = &at
		}
	}
	if options != nil {
		change.Options = []string{}
		if json.Unmarshal(options, (*labels)(&change.Options)) != nil {
			wrong = append(wrong, oponn.FieldError{Field: "options", Code: "type", Message: "This field has a value of another type."})
		}
		if change.Options == nil { // null
			change.Options = []string{}
		}
	}
	switch {
	case len(wrong) > 0:
		return oponn.Change{}, oponn.Invalid(wrong...)
	case status == nil && closes == nil && !change.Edits():
		return oponn.Change{}, oponn.Invalid(oponn.FieldError{Field: "status", Code: "required", Message: "Please say what to change."})
	}
	return change, nil
}

// moment writes a time in UTC, and null for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339Nano)
	return &s
}

// readMoment reads a time with its offset from UTC; an absent one is zero.
func readMoment(field string, value *string) (time.Time, *oponn.FieldError) {
	if value == nil {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, *value)
	if err != nil {
		return time.Time{}, &oponn.FieldError{Field: field, Code: "malformed", Message: "A time is written like 2006-01-02T15:04:05Z (RFC 3339)."}
	}
	return t, nil
}
