package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// file is the document, as much of it as the page shows.
type file struct {
	Info struct{ Title, Summary, Description string }
	Tags []struct {
		Name, Description string
		Operations        []string `json:"x-operations"`
	}
	Paths      ordered[ordered[json.RawMessage]]
	Components struct {
		SecuritySchemes ordered[scheme]
		Parameters      ordered[parameter]
		Headers         ordered[parameter]
		Responses       ordered[response]
		Schemas         ordered[*schema]
	}
}

type scheme struct {
	Description string
	Examples    map[string]string `json:"x-examples"`
}

type operation struct {
	OperationID          string
	Summary, Description string
	Security             []map[string][]string
	Parameters           []parameter
	RequestBody          *struct {
		MaxBytes int64 `json:"x-max-bytes"`
		Content  ordered[media]
	}
	Responses ordered[response]
}

// parameter is one, or a header of an answer.
type parameter struct {
	Ref         string `json:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      *schema
	Examples    ordered[example]
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     ordered[parameter]
	Content     ordered[media]
	Examples    ordered[example] `json:"x-examples"`
}

type media struct {
	Schema   *schema
	Examples ordered[example]
	Events   ordered[*schema] `json:"x-events"`
}

type example struct {
	Summary string
	Value   json.RawMessage
}

// ordered is an object whose members stay in their order.
type ordered[T any] []member[T]

type member[T any] struct {
	name  string
	value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("not an object: %.40s", text)
	}
	for d.More() {
		var m member[T]
		name, err := d.Token()
		if err != nil {
			return err
		}
		m.name, _ = name.(string)
		if err := d.Decode(&m.value); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		*o = append(*o, m)
	}
	return nil
}

// get returns the member with a name.
func (o ordered[T]) get(name string) (value T, ok bool) {
	i := slices.IndexFunc(o, func(m member[T]) bool { return m.name == name })
	if i < 0 {
		return value, false
	}
	return o[i].value, true
}

// target returns the component that a reference names.
func target[T any](components ordered[T], ref string) (T, error) {
	value, ok := components.get(ref[strings.LastIndexByte(ref, '/')+1:])
	if !ok {
		return value, fmt.Errorf("openapi: there is no %s", ref)
	}
	return value, nil
}

// document returns what the page shows.
func (f *file) document() (*Document, error) {
	d := &Document{Title: f.Info.Title, Summary: f.Info.Summary, Description: strings.Split(f.Info.Description, "\n\n")}
	all := make(map[string]Operation)
	for _, path := range f.Paths {
		if err := f.path(path.name, path.value, all); err != nil {
			return nil, err
		}
	}
	for _, tag := range f.Tags {
		s := Section{Name: tag.Name, Description: tag.Description}
		for _, id := range tag.Operations {
			o, ok := all[id]
			if !ok {
				return nil, fmt.Errorf("openapi: the operation %s is not there, or in two sections", id)
			}
			delete(all, id)
			s.Operations = append(s.Operations, o)
		}
		d.Sections = append(d.Sections, s)
	}
	for id := range all {
		return nil, fmt.Errorf("openapi: the operation %s is in no section", id)
	}
	return d, nil
}

// path reads the operations of a path into a map by their ids.
func (f *file) path(path string, members ordered[json.RawMessage], into map[string]Operation) error {
	var shared []parameter
	for _, m := range members {
		if m.name == "parameters" {
			if err := json.Unmarshal(m.value, &shared); err != nil {
				return fmt.Errorf("openapi: %s: %w", path, err)
			}
			continue
		}
		var o operation
		err := json.Unmarshal(m.value, &o)
		if err == nil {
			o.Parameters = slices.Concat(shared, o.Parameters)
			into[o.OperationID], err = f.operation(strings.ToUpper(m.name), path, o)
		}
		if err != nil {
			return fmt.Errorf("openapi: %s %s: %w", m.name, path, err)
		}
	}
	return nil
}

func (f *file) operation(method, path string, o operation) (Operation, error) {
	out := Operation{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, Description: o.Description, Open: len(o.Security) == 0}
	for _, alternative := range o.Security {
		out.Open = out.Open || len(alternative) == 0
		for name := range alternative {
			s, err := target(f.Components.SecuritySchemes, name)
			if err != nil {
				return out, err
			}
			out.Access = append(out.Access, s.Description)
		}
	}
	for i, p := range o.Parameters {
		if p.Ref != "" {
			var err error
			if p, err = target(f.Components.Parameters, p.Ref); err != nil {
				return out, err
			}
			o.Parameters[i] = p
		}
		out.Parameters = append(out.Parameters, Field{Name: p.Name, In: p.In, Required: p.Required, Kind: f.kind(p.Schema), Description: p.Description})
	}
	if o.RequestBody != nil {
		out.MaxBytes = o.RequestBody.MaxBytes
		for _, content := range o.RequestBody.Content {
			out.Body = f.fields(content.value.Schema)
		}
	}
	for i, r := range o.Responses {
		if r.value.Ref != "" {
			var err error
			if r.value, err = target(f.Components.Responses, r.value.Ref); err != nil {
				return out, err
			}
			o.Responses[i] = r
		}
		answer, err := f.answer(r.name, r.value)
		if err != nil {
			return out, err
		}
		out.Answers = append(out.Answers, answer)
	}
	var err error
	out.Examples, err = f.examples(method, path, o)
	return out, err
}

func (f *file) answer(status string, r response) (Answer, error) {
	a := Answer{Description: r.Description}
	var err error
	if a.Status, err = strconv.Atoi(status); err != nil {
		return a, fmt.Errorf("the status %q: %w", status, err)
	}
	for _, h := range r.Headers {
		if h.value.Ref != "" {
			if h.value, err = target(f.Components.Headers, h.value.Ref); err != nil {
				return a, err
			}
		}
		a.Headers = append(a.Headers, Field{Name: h.name, In: "header", Required: h.value.Required, Kind: f.kind(h.value.Schema), Description: h.value.Description})
	}
	for _, content := range r.Content {
		if a.Failed() {
			a.Codes = f.codes(content.value.Schema)
		} else {
			a.Fields = f.fields(content.value.Schema)
		}
		for _, e := range content.value.Events {
			a.Events = append(a.Events, Event{Name: e.name, Description: f.resolve(e.value).Description, Fields: f.fields(e.value)})
		}
	}
	return a, nil
}
