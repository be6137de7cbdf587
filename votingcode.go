package oponn

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// VotingCode is a secret that lets one voter vote, once, on a ballot that is
// protected by codes: 65 random bits as 13 characters of Crockford's base32
// and a check symbol (https://www.crockford.com/base32.html), in groups.
type VotingCode string

// MaxCodes is how many codes a ballot may have, and MaxNewCodes how many are
// made at once.
const (
	MaxCodes    = 100_000
	MaxNewCodes = 10_000
)

const (
	codeLength   = 13
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	checkSymbols = codeAlphabet + "*~$=U"
)

// NewVotingCode returns a fresh random code.
func NewVotingCode() VotingCode {
	var random [codeLength]byte
	_, _ = rand.Read(random[:])
	var symbols [codeLength]byte
	for i, b := range random {
		symbols[i] = b & 31
	}
	return spell(symbols)
}

// spell writes a code in groups, with its check symbol.
func spell(symbols [codeLength]byte) VotingCode {
	out := make([]byte, 0, codeLength+4)
	for i, symbol := range symbols {
		if i == 5 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, codeAlphabet[symbol])
	}
	return VotingCode(append(out, checkSymbols[check(symbols)]))
}

// check returns the code's number modulo 37.
func check(symbols [codeLength]byte) (rest int) {
	for _, symbol := range symbols {
		rest = (rest<<5 | int(symbol)) % 37
	}
	return rest
}

// ParseVotingCode reads a code as somebody typed it: in either case, grouped or not,
// with O for 0 and I or L for 1. Anything else, also a slip that the check
// symbol shows, is CodeCodeRefused, as is a code that nobody was given.
func ParseVotingCode(text string) (VotingCode, error) {
	symbols, checked, err := readSymbols(text)
	if err != nil || !checked {
		return "", codeRefused()
	}
	return spell(symbols), nil
}

// Plain returns the code for links: without hyphens, and without the check
// symbol, which may be one that a program takes for the end of a link. Links
// are not typed.
func (c VotingCode) Plain() string {
	plain := strings.ReplaceAll(string(c), "-", "")
	return plain[:min(codeLength, len(plain))]
}

// ParsePlainCode reads what Plain returned, and also what ParseVotingCode
// reads. Its errors are the same.
func ParsePlainCode(text string) (VotingCode, error) {
	symbols, _, err := readSymbols(text)
	if err != nil {
		return "", err
	}
	return spell(symbols), nil
}

// readSymbols reads the symbols of a code, and says whether a check symbol
// came after them.
func readSymbols(text string) (symbols [codeLength]byte, checked bool, err error) {
	n := 0
	for _, r := range strings.ToUpper(strings.TrimSpace(text)) {
		switch r {
		case '-', ' ':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		at := strings.IndexRune(checkSymbols, r)
		switch {
		case n < codeLength && at >= 0 && at < len(codeAlphabet):
			symbols[n] = byte(at)
		case n == codeLength && at == check(symbols):
		default:
			return symbols, false, codeRefused()
		}
		n++
	}
	if n < codeLength {
		return symbols, false, codeRefused()
	}
	return symbols, n > codeLength, nil
}

// Voter returns the voter that a code stands for. The code of one ballot is
// nobody on another, because voters' tags differ from ballot to ballot.
func (c VotingCode) Voter() VoterID {
	sum := sha256.Sum256([]byte("oponn code " + string(c)))
	return VoterID(sum[:16])
}

// NewCodes makes codes of this ballot, and the tags of their voters. Errors are
// CodeInvalid on the fields count and protection.
func (b *Ballot) NewCodes(count int) ([]VotingCode, []VoterTag, error) {
	switch {
	case b.Definition.Protection != ProtectedByCodes:
		return nil, nil, Invalid(FieldError{Field: "protection", Code: "not_allowed", Message: "This ballot takes no codes."})
	case count < 1 || count > MaxNewCodes:
		return nil, nil, Invalid(FieldError{Field: "count", Code: "out_of_range", Message: "Between 1 and 10,000 codes are made at once."})
	}
	codes, tags := make([]VotingCode, count), make([]VoterTag, count)
	for i := range codes {
		codes[i] = NewVotingCode()
		tags[i] = b.Key.VoterTag(codes[i].Voter())
	}
	return codes, tags, nil
}

// codeRefused is the answer to a code that is wrong and to one that was used:
// who tries codes learns nothing.
func codeRefused() error {
	return Errorf(CodeCodeRefused, "This code can't be used: it is wrong, or somebody has voted with it.")
}

// TooManyCodes is the error of a ballot that has no room for more codes.
func TooManyCodes() error {
	return Invalid(FieldError{Field: "count", Code: "too_many", Message: "A ballot has at most 100,000 codes."})
}
