package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

const (
	// maxDepth is how deep JSON may be nested. Nothing here is deeper than three.
	maxDepth = 16
	// maxWrong is how many fields an answer complains about: more of them would
	// make it longer than what was sent.
	maxWrong = 20
)

// readJSON reads a JSON object into the given places by the names of its
// fields. What can't be read at all is CodeMalformed; fields that are unknown
// or of another type are CodeInvalid, all of them at once.
func readJSON(c echo.Context, limit int64, fields map[string]any) error {
	body, err := readBody(c, mediaJSON, limit)
	if err != nil {
		return err
	}
	return parseJSON(body, fields)
}

// parseJSON is readJSON of a body that has been read.
func parseJSON(body []byte, fields map[string]any) error {
	var object map[string]json.RawMessage
	// encoding/json would mend bad UTF-8 in silence, take null for an object, and
	// look at ten thousand levels.
	if !utf8.Valid(body) || !shallow(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) || json.Unmarshal(body, &object) != nil {
		return oponn.Errorf(oponn.CodeMalformed, "The body must be one JSON object in UTF-8.")
	}
	var wrong []oponn.FieldError
	for _, name := range slices.Sorted(maps.Keys(object)) {
		place, known := fields[name]
		switch {
		case len(wrong) >= maxWrong:
		case !known:
			wrong = append(wrong, oponn.FieldError{Field: clip(name), Code: "unknown", Message: "There is no such field."})
		case json.Unmarshal(object[name], place) != nil:
			wrong = append(wrong, oponn.FieldError{Field: name, Code: "type", Message: "This field has a value of another type."})
		}
	}
	if len(wrong) > 0 {
		return oponn.Invalid(wrong...)
	}
	return nil
}

// clip shortens the name of an unknown field to what is worth sending back.
func clip(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// shallow says whether JSON is nested no deeper than maxDepth. It is a look at
// each byte, before anything is allocated; whether the text is JSON at all is
// not for it to say.
func shallow(text []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, char := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && char == '\\':
			escaped = true
		case char == '"':
			quoted = !quoted
		case quoted:
		case char == '[' || char == '{':
			if depth++; depth > maxDepth {
				return false
			}
		case char == ']' || char == '}':
			depth--
		}
	}
	return true
}

var errNoList = errors.New("http: not a list")

// labels are the texts of a list, the first ones of a long one: one more than a
// ballot may have, so that there are seen to be too many.
type labels []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *labels) UnmarshalJSON(text []byte) error {
	*l = nil
	if string(text) == "null" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('[') {
		return errNoList
	}
	for *l = (labels{}); decoder.More() && len(*l) <= oponn.MaxOptions; {
		var label string
		if err := decoder.Decode(&label); err != nil {
			return err
		}
		*l = append(*l, label)
	}
	return nil
}
