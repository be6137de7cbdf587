package oponn

import (
	"encoding/json"
	"fmt"
	"time"
)

// Definition is what a ballot asks: it is sealed as one value and, from the
// first vote on, never changes. Its JSON form is the stored format.
type Definition struct {
	Question     string   `json:"question"`
	Labels       []string `json:"labels"` // of the options that the owner gave, in order
	AllowWriteIn bool     `json:"allow_write_in,omitempty"`
}

// Options returns the options that the owner gave, in their order.
func (d Definition) Options() []Option {
	options := make([]Option, len(d.Labels))
	for i, label := range d.Labels {
		options[i] = Option{ID: optionID(i), Label: label}
	}
	return options
}

// Draft is a ballot as somebody asks for it, not yet checked.
type Draft struct {
	Question     string
	Options      []string
	AllowWriteIn bool
	Window       Window
}

// Check returns the definition and window the draft stands for, with texts in
// NFC and times in whole microseconds of UTC. Errors are CodeInvalid and name
// every field that is wrong. now is the store's.
func (d Draft) Check(now time.Time) (Definition, Window, error) {
	var wrong []FieldError
	flag := func(field, code, message string) {
		wrong = append(wrong, FieldError{Field: field, Code: code, Message: message})
	}
	question, code, message := cleanText(d.Question, MaxQuestion, 4*MaxQuestion)
	if code == "required" {
		message = "Please ask a question."
	}
	if code != "" {
		flag("question", code, message)
	}
	switch n := len(d.Options); {
	case n < MinOptions:
		flag("options", "too_few", "Please give at least two options.")
	case n > MaxOptions:
		flag("options", "too_many", "At most 50 options are possible.")
	}
	labels, errs := checkLabels(d.Options)
	wrong = append(wrong, errs...)
	window, errs := d.Window.check(now)
	wrong = append(wrong, errs...)
	if len(wrong) > 0 {
		return Definition{}, Window{}, Invalid(wrong...)
	}
	return Definition{Question: question, Labels: labels, AllowWriteIn: d.AllowWriteIn}, window, nil
}

// checkLabels cleans option labels and finds those that are wrong or stand
// there twice. It looks at no more than MaxOptions of them: the rest are
// refused for their number anyway.
func checkLabels(options []string) (labels []string, wrong []FieldError) {
	seen := make(map[string]int, MaxOptions)
	for i, option := range options[:min(len(options), MaxOptions)] {
		field := fmt.Sprintf("options[%d]", i)
		label, code, message := cleanText(option, MaxLabel, MaxLabelBytes)
		if code != "" {
			wrong = append(wrong, FieldError{Field: field, Code: code, Message: message})
			continue
		}
		fold := FoldLabel(label)
		if first, twice := seen[fold]; twice {
			wrong = append(wrong, FieldError{Field: field, Code: "duplicate",
				Message: fmt.Sprintf("This is the same as option %d.", first+1)})
			continue
		}
		seen[fold] = i
		labels = append(labels, label)
	}
	return labels, wrong
}

// Ballot is an opened ballot: its definition in plaintext and its key.
type Ballot struct {
	ID         BallotID
	CreatedAt  time.Time
	Definition Definition
	Key        Key
	// OwnerKey is the SHA-256 of the owner's key.
	OwnerKey [32]byte
}

// SealDefinition returns the definition as the store keeps it.
func SealDefinition(key Key, d Definition) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, Internal(fmt.Errorf("encode definition: %w", err))
	}
	return key.Seal(nil, plain, FieldDefinition), nil
}

// OpenBallot opens a ballot's record with its key. Errors are CodeInternal:
// the record was damaged or is another ballot's.
func OpenBallot(record Record, key Key) (*Ballot, error) {
	plain, err := key.Open(nil, record.Definition, FieldDefinition)
	if err != nil {
		return nil, fmt.Errorf("open definition: %w", err)
	}
	ballot := &Ballot{ID: record.Ballot, CreatedAt: record.CreatedAt, Key: key, OwnerKey: record.OwnerKey}
	if err := json.Unmarshal(plain, &ballot.Definition); err != nil {
		return nil, Internal(fmt.Errorf("decode definition: %w", err))
	}
	return ballot, nil
}
