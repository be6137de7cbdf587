package openapi

import (
	"bytes"
	"encoding/json"
	"strings"
)

// lineWidth is how wide an answer is laid out, at most.
const lineWidth = 56

// lay lays an example's value out for people: JSON with a line for what fits
// into one, and a text as it is.
func lay(value json.RawMessage) string {
	var text string
	if len(value) == 0 || json.Unmarshal(value, &text) == nil {
		return text
	}
	var b strings.Builder
	layJSON(&b, value, "", 0)
	return b.String()
}

// layJSON writes a value that begins at a column.
func layJSON(b *strings.Builder, value json.RawMessage, indent string, column int) {
	line := oneLine(value)
	if column+len(line) <= lineWidth || (value[0] != '{' && value[0] != '[') {
		b.WriteString(line)
		return
	}
	var members ordered[json.RawMessage]
	ends := "{}"
	if value[0] == '[' {
		ends = "[]"
		var items []json.RawMessage
		_ = json.Unmarshal(value, &items) // it is a part of what was read before
		for _, item := range items {
			members = append(members, member[json.RawMessage]{value: item})
		}
	} else {
		_ = json.Unmarshal(value, &members)
	}
	b.WriteByte(ends[0])
	between := "\n"
	for _, m := range members {
		b.WriteString(between + indent + "  ")
		between = ",\n"
		name := ""
		if ends == "{}" {
			name = string(mustQuote(m.name)) + ": "
			b.WriteString(name)
		}
		layJSON(b, bytes.TrimSpace(m.value), indent+"  ", len(indent)+2+len(name))
	}
	b.WriteString("\n" + indent)
	b.WriteByte(ends[1])
}

// oneLine writes JSON on one line, with spaces where people put them.
func oneLine(value json.RawMessage) string {
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return string(value)
	}
	var b strings.Builder
	quoted, escaped := false, false
	for _, char := range compact.Bytes() {
		b.WriteByte(char)
		switch {
		case escaped:
			escaped = false
		case quoted && char == '\\':
			escaped = true
		case char == '"':
			quoted = !quoted
		case !quoted && (char == ':' || char == ','):
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func mustQuote(name string) []byte {
	text, _ := json.Marshal(name) // a string can always be written
	return text
}
