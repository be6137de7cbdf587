package oponn

import (
	"slices"
	"strconv"
	"strings"
)

// The number of options a ballot may have.
const (
	MinOptions  = 2   // given by the owner
	MaxOptions  = 50  // given by the owner
	MaxWriteIns = 200 // added by voters
)

// OptionID names an option within its ballot, in text of at most 16
// characters: "1" to "50" for the options that the owner gave, in their order
// (and higher numbers for those that replaced others before the first vote),
// and "w" with 11 characters of base64url for one that a voter wrote in.
type OptionID string

// Option is one thing that can be voted for.
type Option struct {
	ID    OptionID
	Label string
	// WriteIn says that a voter added it.
	WriteIn bool
}

// optionID returns the id of the option with a number, from 1.
func optionID(number int) OptionID { return OptionID(strconv.Itoa(number)) }

// number returns the number of the option at the index, from 0.
func (d *Definition) number(index int) int {
	if d.Numbers == nil {
		return index + 1
	}
	return d.Numbers[index]
}

// optionIndex returns the index of one of the options that the owner gave.
func (d *Definition) optionIndex(id OptionID) (int, bool) {
	n, err := strconv.Atoi(string(id))
	if err != nil || n < 1 || strings.HasPrefix(string(id), "0") || strings.HasPrefix(string(id), "+") {
		return 0, false
	}
	if d.Numbers == nil {
		return n - 1, n <= len(d.Labels)
	}
	i := slices.Index(d.Numbers, n)
	return i, i >= 0
}

func itoa(n int) string { return strconv.Itoa(n) }
