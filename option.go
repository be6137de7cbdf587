package oponn

import (
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
// characters: "1" to "50" for the options that the owner gave, in their order,
// and "w" with 11 characters of base64url for one that a voter wrote in.
type OptionID string

// Option is one thing that can be voted for.
type Option struct {
	ID    OptionID
	Label string
	// WriteIn says that a voter added it.
	WriteIn bool
}

// optionID returns the id of the option at the index, from 0.
func optionID(index int) OptionID { return OptionID(strconv.Itoa(index + 1)) }

// optionIndex returns the index of one of n options that the owner gave.
func optionIndex(id OptionID, n int) (int, bool) {
	i, err := strconv.Atoi(string(id))
	if err != nil || i < 1 || i > n || strings.HasPrefix(string(id), "0") || strings.HasPrefix(string(id), "+") {
		return 0, false
	}
	return i - 1, true
}

func itoa(n int) string { return strconv.Itoa(n) }
