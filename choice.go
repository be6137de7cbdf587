package oponn

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math/bits"
	"slices"
)

// Choice is what a voter chose, checked against its ballot's definition.
type Choice struct {
	// given are the options that the owner gave.
	given optionSet
	// writeIn is an option that a voter added, or the zero Option; more are
	// further ones. Their ids rise, so that a choice has one form.
	writeIn Option
	more    []Option
}

// eachWriteIn calls do with every option that voters added, as long as there
// is no error.
func (c *Choice) eachWriteIn(do func(Option) error) error {
	if c.writeIn.ID == "" {
		return nil
	}
	if err := do(c.writeIn); err != nil {
		return err
	}
	for _, option := range c.more {
		if err := do(option); err != nil {
			return err
		}
	}
	return nil
}

// size is the number of options chosen.
func (c *Choice) size() int {
	n := bits.OnesCount64(uint64(c.given)) + len(c.more)
	if c.writeIn.ID != "" {
		n++
	}
	return n
}

// add adds an option that a voter added, unless it is there.
func (c *Choice) add(option Option) {
	switch {
	case c.writeIn.ID == "":
		c.writeIn = option
		return
	case option.ID < c.writeIn.ID:
		c.writeIn, option = option, c.writeIn
	case option.ID == c.writeIn.ID:
		return
	}
	at, there := slices.BinarySearchFunc(c.more, option.ID, func(o Option, id OptionID) int { return cmp.Compare(o.ID, id) })
	if !there {
		c.more = slices.Insert(c.more, at, option)
	}
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

// Choose checks what a voter sent: ids of options, and a text written in. A
// text that equals one of the owner's options is a vote for that option. An
// option that is there twice counts once. Errors are CodeInvalid on the fields
// choices and write_in. An id of a write-in is accepted when known has it.
func (b *Ballot) Choose(ids []OptionID, writeIn string, known []WriteIn) (Choice, error) {
	d := &b.Definition
	bounds := d.Range()
	switch {
	case len(ids) == 0 && writeIn == "":
		return Choice{}, wrongChoice("required", "Please choose an option.")
	case bounds.Max == 1 && writeIn != "" && len(ids) > 0:
		return Choice{}, wrongChoice("too_many", "Please choose one option or write one in, not both.")
	case bounds.Max == 1 && len(ids) > 1:
		return Choice{}, wrongChoice("too_many", "Please choose one option only.")
	case len(ids) > MaxOptions+MaxWriteIns:
		return Choice{}, wrongChoice("too_many", "These are more options than there are.")
	}
	var c Choice
	for _, id := range ids {
		if err := b.pick(&c, id, known); err != nil {
			return Choice{}, err
		}
	}
	if writeIn != "" {
		if err := b.pickWriteIn(&c, writeIn); err != nil {
			return Choice{}, err
		}
	}
	switch n := c.size(); {
	case n < bounds.Min:
		return Choice{}, wrongChoice("too_few", "Please choose at least "+itoa(bounds.Min)+" options.")
	case n > bounds.Max:
		return Choice{}, wrongChoice("too_many", "Please choose at most "+itoa(bounds.Max)+" options.")
	}
	return c, nil
}

func wrongChoice(code, message string) error {
	return Invalid(FieldError{Field: "choices", Code: code, Message: message})
}

// pick adds the option with an id to a choice.
func (b *Ballot) pick(c *Choice, id OptionID, known []WriteIn) error {
	if i, ok := b.Definition.optionIndex(id); ok {
		c.given |= 1 << i
		return nil
	}
	for _, w := range known {
		if w.Option.ID == id {
			c.add(w.Option)
			return nil
		}
	}
	return wrongChoice("unknown_option", "This ballot has no such option.")
}

// pickWriteIn adds what a voter wrote to a choice.
func (b *Ballot) pickWriteIn(c *Choice, text string) error {
	d := &b.Definition
	if !d.AllowWriteIn {
		return Invalid(FieldError{Field: "write_in", Code: "not_allowed", Message: "This ballot takes no options of your own."})
	}
	label, code, message := cleanText(text, MaxLabel, MaxLabelBytes)
	if code != "" {
		return Invalid(FieldError{Field: "write_in", Code: code, Message: message})
	}
	fold := FoldLabel(label)
	for i, given := range d.Labels {
		if FoldLabel(given) == fold {
			c.given |= 1 << i
			return nil
		}
	}
	c.add(Option{ID: b.Key.WriteInID(fold), Label: label, WriteIn: true})
	return nil
}

// Equal says whether two choices on the same ballot are the same vote.
func (c Choice) Equal(other Choice) bool {
	return c.given == other.given && c.writeIn.ID == other.writeIn.ID &&
		slices.EqualFunc(c.more, other.more, func(a, b Option) bool { return a.ID == b.ID })
}

// choiceFormat is the first byte of an encoded choice.
const choiceFormat = 1

// choiceSize is the most bytes of an encoded choice of one option.
const choiceSize = 1 + (MaxOptions+7)/8 + 8

// writeInSlots is the most write-ins of one choice.
func (d *Definition) writeInSlots() int {
	if !d.AllowWriteIn {
		return 0
	}
	return d.Range().Max
}

// appendTo appends the choice in the stored format: a format byte, one bit per
// option that the owner gave, and, where write-ins are allowed, for each option
// that may be chosen the eight bytes of a write-in's id or zeros. All choices on a ballot have one length,
// so that a sealed one tells nothing by its size.
func (c *Choice) appendTo(out []byte, d *Definition) []byte {
	out = append(out, choiceFormat)
	for shift := 0; shift < len(d.Labels); shift += 8 {
		out = append(out, byte(c.given>>shift))
	}
	for slot := range d.writeInSlots() {
		var id OptionID
		switch {
		case slot == 0:
			id = c.writeIn.ID
		case slot <= len(c.more):
			id = c.more[slot-1].ID
		}
		bits := writeInBits(id)
		out = append(out, bits[:]...)
	}
	return out
}

// decodeChoice reads what appendTo wrote. Write-ins come without their labels.
func decodeChoice(d *Definition, plain []byte) (Choice, error) {
	given := (len(d.Labels) + 7) / 8
	want := 1 + given + 8*d.writeInSlots()
	if len(plain) != want || plain[0] != choiceFormat {
		return Choice{}, Internal(fmt.Errorf("a choice of %d bytes where %d were due, or of another format", len(plain), want))
	}
	var c Choice
	for i := range given {
		c.given |= optionSet(plain[1+i]) << (8 * i)
	}
	c.given &= 1<<len(d.Labels) - 1
	for tail := plain[1+given:]; len(tail) > 0; tail = tail[8:] {
		if id := tail[:8]; [8]byte(id) != [8]byte{} {
			c.add(Option{ID: OptionID("w" + base64.RawURLEncoding.EncodeToString(id)), WriteIn: true})
		}
	}
	return c, nil
}

// writeInBits returns the eight bytes within a write-in's id; zeros for none.
func writeInBits(id OptionID) (out [8]byte) {
	if len(id) > 1 {
		decodeID(out[:], string(id[1:]))
	}
	return out
}

// OpenChoice opens a logged vote. Errors are CodeInternal: the vote was
// damaged, forged or moved.
func (b *Ballot) OpenChoice(v LoggedVote) (Choice, error) {
	plain, err := b.Key.Open(nil, v.Sealed, FieldChoice, v.Tag[:], v.ID[:])
	if err != nil {
		return Choice{}, fmt.Errorf("open the vote at position %d: %w", v.Position, err)
	}
	return decodeChoice(&b.Definition, plain)
}
