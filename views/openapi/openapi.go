// Package openapi is the description of the JSON API: the document that is
// served (OpenAPI 3.1), and a reading of it for the page that shows it.
//
// The document, openapi.json, is written by hand. It can't drift: every answer
// that a test of the API gets is held to it, its examples are run, and its
// routes and limits are compared with those that the program has.
//
// A few fields are ours, as the standard allows. x-operations puts the
// operations of a tag in the order in which they are read, and in which the
// examples are run: they tell one story. x-max-bytes limits a body. x-events
// says what the events of a stream carry. x-examples are the examples of what
// has no content, and the credentials of examples by their names.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed openapi.json
var document string

// JSON returns the document as it is served.
func JSON() string { return document }

// Document is what the page shows.
type Document struct {
	Title, Summary string
	// Description is one text for each paragraph.
	Description []string
	Sections    []Section
}

// Section is a group of operations.
type Section struct {
	Name, Description string
	Operations        []Operation
}

// Operation is a method of a route.
type Operation struct {
	ID, Method, Path     string
	Summary, Description string
	// Access says with which credentials one comes; Open, that one may come
	// without.
	Access     []string
	Open       bool
	Parameters []Field
	// Body are the fields of the request's body, of at most MaxBytes; none for
	// an operation that takes none.
	Body     []Field
	MaxBytes int64
	Answers  []Answer
	Examples []Example
}

// Field is a parameter, a header, or a field of a body. The name of a field
// within another has the other's before it: choices.min, options[].label.
type Field struct {
	Name string
	// In is path, query or header, for parameters alone.
	In       string
	Required bool
	// Kind is its type with its limits, in words.
	Kind        string
	Description string
}

// Answer is one that an operation may get.
type Answer struct {
	Status      int
	Description string
	Headers     []Field
	// Fields are those of the body, and Codes the error codes that it may have.
	Fields []Field
	Codes  []string
	Events []Event
}

// Failed says whether it is an error.
func (a Answer) Failed() bool { return a.Status >= 400 }

// Event is one of a stream.
type Event struct {
	Name, Description string
	Fields            []Field
}

// Read returns the document for the page. It fails only when the document is
// wrong, and is always the same: callers keep it.
func Read() (*Document, error) { return read(document) }

func read(text string) (*Document, error) {
	var f file
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return f.document()
}
