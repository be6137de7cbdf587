package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// schema is what the page shows of one.
type schema struct {
	Ref         string `json:"$ref"`
	Type        types
	Format      string
	Description string
	Enum        []string
	Examples    []string
	Default     json.RawMessage
	Properties  ordered[*schema]
	Required    []string
	Items       *schema

	MinLength, MaxLength *int
	MinItems, MaxItems   *int
	Minimum, Maximum     *int
}

// types are one type, or several.
type types []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *types) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		*t = make(types, 1)
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// resolve returns the schema that a reference names, with what stands beside
// the reference laid over it.
func (f *file) resolve(s *schema) *schema {
	if s == nil {
		return &schema{}
	}
	if s.Ref == "" {
		return s
	}
	named, err := target(f.Components.Schemas, s.Ref)
	if err != nil { // the tests hold the document to the standard
		return s
	}
	over := *f.resolve(named)
	over.Properties = slices.Clone(over.Properties)
	for _, p := range s.Properties {
		if i := slices.IndexFunc(over.Properties, func(m member[*schema]) bool { return m.name == p.name }); i >= 0 {
			over.Properties[i] = p
		} else {
			over.Properties = append(over.Properties, p)
		}
	}
	if s.Default != nil {
		over.Default = s.Default
	}
	if s.Description != "" {
		over.Description = s.Description
	}
	return &over
}

// fields returns the fields of an object, those within others after them.
func (f *file) fields(s *schema) []Field { return f.fieldsWithin(f.resolve(s), "") }

func (f *file) fieldsWithin(s *schema, prefix string) []Field {
	var all []Field
	for _, p := range s.Properties {
		inner := f.resolve(p.value)
		name := prefix + p.name
		all = append(all, Field{Name: name, Required: slices.Contains(s.Required, p.name), Kind: f.kind(inner), Description: inner.Description})
		if inner.Items != nil {
			inner, name = f.resolve(inner.Items), name+"[]"
		}
		all = append(all, f.fieldsWithin(inner, name+".")...)
	}
	return all
}

// codes returns the error codes that a problem may have.
func (f *file) codes(s *schema) []string {
	code, ok := f.resolve(s).Properties.get("code")
	if !ok {
		return nil
	}
	return slices.Concat(code.Enum, code.Examples)
}

// kind returns a schema's type with its limits, in words.
func (f *file) kind(s *schema) string {
	s = f.resolve(s)
	var parts []string
	switch {
	case len(s.Enum) > 0:
		parts = append(parts, strings.Join(s.Enum, " | "))
	case s.Format != "":
		parts = append(parts, s.Format)
	case len(s.Type) > 0:
		parts = append(parts, s.Type[0])
	}
	for _, limit := range []struct {
		least, most *int
		of          string
	}{{s.MinLength, s.MaxLength, " characters"}, {s.MinItems, s.MaxItems, " items"}, {s.Minimum, s.Maximum, ""}} {
		if text := between(limit.least, limit.most); text != "" {
			parts = append(parts, text+limit.of)
		}
	}
	if s.Items != nil {
		parts = append(parts, "each "+f.kind(s.Items))
	}
	if slices.Contains(s.Type, "null") {
		parts = append(parts, "or null")
	}
	if s.Default != nil {
		parts = append(parts, "default "+string(s.Default))
	}
	return strings.Join(parts, ", ")
}

// between writes limits; one that says nothing is not worth a word.
func between(least, most *int) string {
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf("%d to %d", *least, *most)
	case most != nil:
		return fmt.Sprintf("at most %d", *most)
	case least != nil && *least > 0:
		return fmt.Sprintf("at least %d", *least)
	default:
		return ""
	}
}
