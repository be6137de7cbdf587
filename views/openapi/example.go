package openapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Example is a request with the answer that it gets. What an example needs of
// earlier ones, as the id of a ballot, stands in it as they had it.
type Example struct {
	Name, Summary string
	Method        string
	// Path is the request's, with its query.
	Path string
	// Header are the request's, besides that of the body's media type.
	Header []Header
	// Body is JSON on one line, or empty.
	Body string
	// Status and Answer are what comes back, Answer laid out for people.
	Status int
	Answer string
	// Stream says that the answer has no end.
	Stream bool
}

// Header is a field of a request's head.
type Header struct{ Name, Value string }

// Curl returns a command for a shell that sends the request to a server.
func (e Example) Curl(base string) string {
	var b strings.Builder
	b.WriteString("curl -s")
	if e.Stream {
		b.WriteString("N")
	}
	if e.Answer == "" {
		b.WriteString("i") // else one would see nothing
	}
	if e.Method != http.MethodGet && (e.Method != http.MethodPost || e.Body == "") {
		b.WriteString(" -X " + e.Method)
	}
	b.WriteString(" " + base + e.Path)
	for _, h := range e.Header {
		b.WriteString(" \\\n  -H " + quote(h.Name+": "+h.Value))
	}
	if e.Body != "" {
		b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d " + quote(e.Body))
	}
	return b.String()
}

// quote quotes a word for a shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// examples returns those of an operation: of each name that a body, an answer
// or, where there is no content, an x-example has. The credentials, and the
// examples of parameters, have the same name, or default.
func (f *file) examples(method, path string, o operation) ([]Example, error) {
	bodies := ordered[example]{}
	if o.RequestBody != nil {
		for _, content := range o.RequestBody.Content {
			bodies = content.value.Examples
		}
	}
	var all []Example
	for _, r := range o.Responses {
		status, _ := strconv.Atoi(r.name)
		answers, stream := r.value.Examples, false
		for _, content := range r.value.Content {
			answers = slices.Concat(answers, content.value.Examples)
			stream = content.name == "text/event-stream"
		}
		for _, answer := range answers {
			e := Example{Name: answer.name, Summary: answer.value.Summary, Method: method, Status: status, Answer: lay(answer.value.Value), Stream: stream}
			if body, ok := bodies.get(answer.name); ok {
				e.Body, e.Summary = oneLine(body.Value), body.Summary
			}
			var err error
			if e.Path, e.Header, err = f.fill(path, answer.name, o); err != nil {
				return nil, err
			}
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Example) int { return bodies.index(a.Name) - bodies.index(b.Name) })
	if len(bodies) > len(all) {
		return nil, fmt.Errorf("%d examples of bodies have %d answers", len(bodies), len(all))
	}
	return all, nil
}

// index returns where the member with a name is; -1 for nowhere.
func (o ordered[T]) index(name string) int {
	return slices.IndexFunc(o, func(m member[T]) bool { return m.name == name })
}

// fill returns path and header of an example.
func (f *file) fill(path, name string, o operation) (string, []Header, error) {
	var header []Header
	query := url.Values{}
	if credentials := f.credentials(name, o); credentials != "" {
		header = append(header, Header{"Authorization", "Bearer " + credentials})
	}
	for _, p := range o.Parameters {
		chosen, ok := p.Examples.get(name)
		if !ok {
			chosen, ok = p.Examples.get("default")
		}
		var value string
		switch {
		case !ok && p.Required:
			return "", nil, fmt.Errorf("the example %s has no %s", name, p.Name)
		case !ok:
			continue
		case json.Unmarshal(chosen.Value, &value) != nil:
			return "", nil, fmt.Errorf("the example %s of %s is no text", name, p.Name)
		}
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
		case "query":
			query.Set(p.Name, value)
		default:
			header = append(header, Header{p.Name, value})
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, header, nil
}

// credentials returns those of an example; none where one may come without,
// and no example has its name.
func (f *file) credentials(name string, o operation) string {
	needed := len(o.Security) > 0
	for _, alternative := range o.Security {
		needed = needed && len(alternative) > 0
		for scheme := range alternative {
			s, _ := f.Components.SecuritySchemes.get(scheme)
			if value, ok := s.Examples[name]; ok {
				return value
			}
		}
	}
	if !needed {
		return ""
	}
	for scheme := range o.Security[0] {
		s, _ := f.Components.SecuritySchemes.get(scheme)
		return s.Examples["default"]
	}
	return ""
}
