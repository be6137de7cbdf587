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
	// Revision counts the changes of question and options, from 0. It is in
	// the State too, which tells who has an older one.
	Revision uint32 `json:"revision,omitempty"`
	// Numbers are the ids of the options in their order, and LastNumber the
	// highest that ever was one; nil before the first change: 1, 2, 3 …
	Numbers    []int `json:"numbers,omitempty"`
	LastNumber int   `json:"last_number,omitempty"`
	Rules
}

// Options returns the options that the owner gave, in their order.
func (d Definition) Options() []Option {
	options := make([]Option, len(d.Labels))
	for i, label := range d.Labels {
		options[i] = Option{ID: optionID(d.number(i)), Label: label}
	}
	return options
}

// Draft is a ballot as somebody asks for it, not yet checked.
type Draft struct {
	Question     string
	Options      []string
	AllowWriteIn bool
	Window       Window
	Rules        Rules
}

// Check returns the definition and window the draft stands for, with texts in
// NFC and times in whole microseconds of UTC. Errors are CodeInvalid and name
// every field that is wrong. now is the store's.
func (d Draft) Check(now time.Time) (Definition, Window, error) {
	question, labels, wrong := checkTexts(d.Question, d.Options)
	window, errs := d.Window.check(now)
	wrong = append(wrong, errs...)
	rules, errs := d.Rules.check(len(d.Options), d.AllowWriteIn)
	wrong = append(wrong, errs...)
	if len(wrong) > 0 {
		return Definition{}, Window{}, Invalid(wrong...)
	}
	return Definition{Question: question, Labels: labels, AllowWriteIn: d.AllowWriteIn, Rules: rules}, window, nil
}

// checkTexts cleans a question and the labels of options, and finds what is
// wrong with them.
func checkTexts(question string, options []string) (clean string, labels []string, wrong []FieldError) {
	flag := func(field, code, message string) {
		wrong = append(wrong, FieldError{Field: field, Code: code, Message: message})
	}
	clean, code, message := cleanText(question, MaxQuestion, 4*MaxQuestion)
	if code == "required" {
		message = "Please ask a question."
	}
	if code != "" {
		flag("question", code, message)
	}
	switch n := len(options); {
	case n < MinOptions:
		flag("options", "too_few", "Please give at least two options.")
	case n > MaxOptions:
		flag("options", "too_many", "At most 50 options are possible.")
	}
	labels, errs := checkLabels(options)
	return clean, labels, append(wrong, errs...)
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
	// OwnerKey is the SHA-256 of the owner's key, and Owner that of the id of
	// the browser that made the ballot; zero for none.
	OwnerKey [32]byte
	Owner    [32]byte
}

// SealDefinition returns the definition as the store keeps it.
func SealDefinition(key Key, d Definition) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, Internal(fmt.Errorf("encode definition: %w", err))
	}
	return key.Seal(nil, plain, d.field()), nil
}

// field returns what the definition is sealed as.
func (d *Definition) field() Field {
	if d.Rules != (Rules{}) || d.Revision > 0 {
		return FieldRuled
	}
	return FieldDefinition
}

// OpenBallot opens a ballot's record with its key. Errors are CodeInternal:
// the record was damaged or is another ballot's.
func OpenBallot(record Record, key Key) (*Ballot, error) {
	plain, err := key.Open(nil, record.Definition, FieldDefinition)
	if err != nil {
		plain, err = key.Open(nil, record.Definition, FieldRuled)
	}
	if err != nil {
		return nil, fmt.Errorf("open definition: %w", err)
	}
	ballot := &Ballot{ID: record.Ballot, CreatedAt: record.CreatedAt, Key: key, OwnerKey: record.OwnerKey, Owner: record.Owner}
	if err := json.Unmarshal(plain, &ballot.Definition); err != nil {
		return nil, Internal(fmt.Errorf("decode definition: %w", err))
	}
	return ballot, nil
}
