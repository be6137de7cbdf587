package oponn

import (
	"encoding/base64"
	"fmt"
	"math/bits"
)

// Choice is what a voter chose, checked against its ballot's definition.
type Choice struct {
	// given are the options that the owner gave.
	given optionSet
	// writeIn is the option written in, or the zero Option.
	writeIn Option
}

// optionSet is a set of the options that a ballot's owner gave: bit i for the
// option with index i.
type optionSet uint64

const _ = uint(64 - MaxOptions) // they fit

// each calls do with the index of every option in the set.
func (s optionSet) each(do func(i int)) {
	for ; s != 0; s &= s - 1 {
		do(bits.TrailingZeros64(uint64(s)))
	}
}

// Choose checks what a voter sent: ids of options, or a text written in. A
// text that equals one of the owner's options is a vote for that option.
// Errors are CodeInvalid on the fields choices and write_in. An id of a
// write-in is accepted when known has it.
func (b *Ballot) Choose(ids []OptionID, writeIn string, known []WriteIn) (Choice, error) {
	d := b.Definition
	switch {
	case writeIn != "" && len(ids) > 0:
		return Choice{}, Invalid(FieldError{Field: "choices", Code: "too_many", Message: "Please choose one option or write one in, not both."})
	case writeIn != "":
		return b.chooseWriteIn(writeIn)
	case len(ids) == 0:
		return Choice{}, Invalid(FieldError{Field: "choices", Code: "required", Message: "Please choose an option."})
	case len(ids) > 1:
		return Choice{}, Invalid(FieldError{Field: "choices", Code: "too_many", Message: "Please choose one option only."})
	}
	if i, ok := optionIndex(ids[0], len(d.Labels)); ok {
		return Choice{given: 1 << i}, nil
	}
	for _, w := range known {
		if w.Option.ID == ids[0] {
			return Choice{writeIn: w.Option}, nil
		}
	}
	return Choice{}, Invalid(FieldError{Field: "choices", Code: "unknown_option", Message: "This ballot has no such option."})
}

func (b *Ballot) chooseWriteIn(text string) (Choice, error) {
	d := b.Definition
	if !d.AllowWriteIn {
		return Choice{}, Invalid(FieldError{Field: "write_in", Code: "not_allowed", Message: "This ballot takes no options of your own."})
	}
	label, code, message := cleanText(text, MaxLabel, MaxLabelBytes)
	if code != "" {
		return Choice{}, Invalid(FieldError{Field: "write_in", Code: code, Message: message})
	}
	fold := FoldLabel(label)
	for i, given := range d.Labels {
		if FoldLabel(given) == fold {
			return Choice{given: 1 << i}, nil
		}
	}
	return Choice{writeIn: Option{ID: b.Key.WriteInID(fold), Label: label, WriteIn: true}}, nil
}

// Equal says whether two choices on the same ballot are the same vote.
func (c Choice) Equal(other Choice) bool {
	return c.given == other.given && c.writeIn.ID == other.writeIn.ID
}

// choiceFormat is the first byte of an encoded choice.
const choiceFormat = 1

// choiceSize is the most bytes of an encoded choice.
const choiceSize = 1 + (MaxOptions+7)/8 + 8

// appendTo appends the choice in the stored format: a format byte, one bit per
// option that the owner gave, and, where write-ins are allowed, the eight
// bytes of a write-in's id or zeros. All choices on a ballot have one length,
// so that a sealed one tells nothing by its size.
func (c Choice) appendTo(out []byte, d Definition) []byte {
	out = append(out, choiceFormat)
	for shift := 0; shift < len(d.Labels); shift += 8 {
		out = append(out, byte(c.given>>shift))
	}
	if d.AllowWriteIn {
		out = append(out, writeInBits(c.writeIn.ID)...)
	}
	return out
}

// decodeChoice reads what appendTo wrote. A write-in comes without its label.
func decodeChoice(d Definition, plain []byte) (Choice, error) {
	given := (len(d.Labels) + 7) / 8
	want := 1 + given
	if d.AllowWriteIn {
		want += 8
	}
	if len(plain) != want || plain[0] != choiceFormat {
		return Choice{}, Internal(fmt.Errorf("a choice of %d bytes where %d were due, or of another format", len(plain), want))
	}
	var c Choice
	for i := range given {
		c.given |= optionSet(plain[1+i]) << (8 * i)
	}
	c.given &= 1<<len(d.Labels) - 1
	if tail := plain[1+given:]; d.AllowWriteIn && [8]byte(tail) != [8]byte{} {
		c.writeIn = Option{ID: OptionID("w" + base64.RawURLEncoding.EncodeToString(tail)), WriteIn: true}
	}
	return c, nil
}

// writeInBits returns the eight bytes within a write-in's id; zeros for none.
func writeInBits(id OptionID) []byte {
	var out [8]byte
	if len(id) > 1 {
		decodeID(out[:], string(id[1:]))
	}
	return out[:]
}

// OpenChoice opens a logged vote. Errors are CodeInternal: the vote was
// damaged, forged or moved.
func (b *Ballot) OpenChoice(v LoggedVote) (Choice, error) {
	plain, err := b.Key.Open(nil, v.Sealed, FieldChoice, v.Tag[:], v.ID[:])
	if err != nil {
		return Choice{}, fmt.Errorf("open the vote at position %d: %w", v.Position, err)
	}
	return decodeChoice(b.Definition, plain)
}
