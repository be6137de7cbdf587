package oponn

import (
	"crypto/rand"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// JoinCode is six digits by which people in a room find an open ballot. It is
// no secret: whoever types it comes where the link leads.
type JoinCode string

// JoinCodeRest is how long a code that was released is given to nobody else:
// it may still stand on a screen or a slip of paper.
const JoinCodeRest = 24 * time.Hour

// The first digit is never zero, so that a code stays what it is as a number.
const (
	firstJoinCode = 100_000
	joinCodes     = 900_000
)

// NewJoinCodes returns n codes at random, for Store.ClaimJoinCode to choose
// from. One may be among them twice.
func NewJoinCodes(n int) []JoinCode {
	codes := make([]JoinCode, n)
	for i := range codes {
		number, err := rand.Int(rand.Reader, big.NewInt(joinCodes))
		if err != nil {
			panic(err) // the system's source of chance doesn't fail
		}
		codes[i] = JoinCode(strconv.FormatInt(firstJoinCode+number.Int64(), 10))
	}
	return codes
}

// ParseJoinCode reads a code as people type it, with spaces and hyphens, in
// Latin, full-width or Arabic digits. Anything else is CodeNotFound.
func ParseJoinCode(text string) (JoinCode, error) {
	digits := make([]byte, 0, 6)
	for _, r := range text {
		digit, found := digitOf(r)
		switch {
		case found && len(digits) < 6:
			digits = append(digits, digit)
		case found || !strings.ContainsRune(" -\u00a0\u2011\u202f\u3000\u200e\u200f", r):
			return "", noJoinCode()
		}
	}
	if len(digits) < 6 || digits[0] == '0' {
		return "", noJoinCode()
	}
	return JoinCode(digits), nil
}

// digitOf returns the Latin digit that a character stands for.
func digitOf(r rune) (byte, bool) {
	for _, zero := range []rune{'0', '\uff10', '\u0660', '\u06f0'} {
		if r >= zero && r <= zero+9 {
			return '0' + byte(r-zero), true
		}
	}
	return 0, false
}

// noJoinCode is the same for what is no code, for one that was never given,
// and for one that leads nowhere any more.
func noJoinCode() error { return Errorf(CodeNotFound, "No open ballot has this code.") }

// NoJoinCode returns the error about a code that leads nowhere: CodeNotFound.
func NoJoinCode() error { return noJoinCode() }

// JoinCodesTaken returns the error about a lack of free codes: CodeBusy.
func JoinCodesTaken() error {
	return Retryable(CodeBusy, time.Minute, nil, "There is no join code left at this moment.")
}

// String groups the digits: 123 456.
func (c JoinCode) String() string {
	if len(c) != 6 {
		return string(c)
	}
	return string(c[:3]) + " " + string(c[3:])
}
