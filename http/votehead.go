package http

import (
	"bytes"
	"math"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// What the head of a vote by the API begins with, around the ballot's id.
const (
	voteHeadBegin = "POST /api/v1/ballots/"
	voteHeadEnd   = "/votes HTTP/1.1\r\n"
	ballotIDSize  = 22
)

// maxFields is the most header fields of a head that is read here.
const maxFields = 24

// voteHead reads the heads of requests that cast a vote by the API, and of no
// other. What is in any way unusual it leaves to net/http, which reads the same
// bytes: so it may be narrow, but must never read something else than net/http
// would (FuzzVoteHead). A connection's heads differ in few lines: those that
// are as they were are neither made again nor read again, but compared with the
// last head, which is in one place of memory; the rest is in many.
type voteHead struct {
	url    *url.URL // its Path is that of the request
	host   string
	fields http.Header // without Host

	last   []byte            // the last head's fields as they came
	sizes  [maxFields]uint16 // of their lines, with what ends them
	length int               // Content-Length
	lines  []headLine        // what they say
}

// headLine is a header field as it came last.
type headLine struct {
	name  string   // as it was written
	key   string   // in canonical form
	value []string // the one value, which fields has too
}

// read takes a request that is there as a whole, and nothing else, and returns
// its body.
func (h *voteHead) read(arrived []byte) (body []byte, ok bool) {
	rest, ok := bytes.CutPrefix(arrived, []byte(voteHeadBegin))
	if !ok || len(rest) < ballotIDSize || !bytes.HasPrefix(rest[ballotIDSize:], []byte(voteHeadEnd)) || !allOf(rest[:ballotIDSize], inID) {
		return nil, false
	}
	path := arrived[len("POST ") : len(voteHeadBegin)+ballotIDSize+len("/votes")]
	if rest = rest[ballotIDSize+len(voteHeadEnd):]; h.url.Path != string(path) {
		h.url.Path = string(path)
	}
	if rest, ok = h.readFields(rest); !ok {
		h.forget() // some of them are of this head, some of the last
		return nil, false
	}
	return rest, h.host != "" && h.length == len(rest)
}

// forget forgets the last head.
func (h *voteHead) forget() {
	h.lines, h.last, h.host, h.length = h.lines[:0], h.last[:0], "", -1
	clear(h.fields)
}

// readFields reads header fields to the empty line after them (RFC 9112,
// section 5).
func (h *voteHead) readFields(arrived []byte) (body []byte, ok bool) {
	rest, last, changed := arrived, h.last, false
	for n := 0; ; n++ {
		if same := h.same(n, rest, last); same > 0 {
			rest, last = rest[same:], last[same:]
			continue
		}
		end := bytes.IndexByte(rest, '\n')
		if end < 1 || rest[end-1] != '\r' {
			return nil, false
		}
		line := rest[:end-1]
		rest = rest[end+1:]
		if len(line) == 0 {
			if n < len(h.lines) {
				return nil, false // one is missing that was there: not worth a thought
			}
			if changed {
				h.last = append(h.last[:0], arrived[:len(arrived)-len(rest)]...)
			}
			return rest, true
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if value = bytes.Trim(value, " "); !found || n == maxFields || end >= math.MaxUint16 {
			return nil, false
		}
		if n < len(h.lines) && len(last) > 0 {
			last = last[h.sizes[n]:]
		}
		if !h.set(n, name, value) {
			return nil, false
		}
		changed, h.sizes[n] = true, uint16(end+1)
	}
}

// same returns the size of line number n where it is as it was in the last head,
// which is given from that line on; else zero.
func (h *voteHead) same(n int, rest, last []byte) int {
	if n >= len(h.lines) || len(last) == 0 {
		return 0
	}
	if size := int(h.sizes[n]); len(rest) >= size && bytes.Equal(rest[:size], last[:size]) {
		return size
	}
	return 0
}

// set notes field number n.
func (h *voteHead) set(n int, name, value []byte) bool {
	if n == len(h.lines) {
		return h.add(name, value)
	}
	line := &h.lines[n]
	if line.name != string(name) {
		return false
	}
	if line.value[0] == string(value) {
		return true
	}
	if !allOf(value, inValue) {
		return false
	}
	line.value[0] = string(value)
	return h.heed(line.key, line.value[0])
}

// add notes a field that the last head did not have.
func (h *voteHead) add(name, value []byte) bool {
	if len(name) == 0 || !allOf(name, inName) || !allOf(value, inValue) {
		return false
	}
	line := headLine{name: string(name), value: []string{string(value)}}
	line.key = textproto.CanonicalMIMEHeaderKey(line.name)
	for _, other := range h.lines {
		if other.key == line.key {
			return false
		}
	}
	h.lines = append(h.lines, line)
	if line.key != "Host" {
		h.fields[line.key] = line.value
	}
	return h.heed(line.key, line.value[0])
}

// heed sees to fields that say something about the request as such. Those that
// ask for what is not done here are not for it.
func (h *voteHead) heed(key, value string) bool {
	switch key {
	case "Host":
		h.host = value
		return allOf([]byte(value), inHost)
	case "Content-Length":
		h.length = 0
		for _, digit := range []byte(value) {
			if digit < '0' || digit > '9' || h.length > voteLimit {
				return false
			}
			h.length = 10*h.length + int(digit-'0')
		}
		return value != ""
	case "Connection":
		return strings.EqualFold(value, "keep-alive")
	case "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect", "Http2-Settings", "Pragma":
		return false
	}
	return true
}

// Which bytes there may be.
func inID(b byte) bool {
	return b == '-' || b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

func inName(b byte) bool {
	return b == '-' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

func inHost(b byte) bool { return inID(b) || b == '.' || b == ':' || b == '[' || b == ']' }

func inValue(b byte) bool { return ' ' <= b && b <= '~' }

func allOf(text []byte, in func(byte) bool) bool {
	for _, b := range text {
		if !in(b) {
			return false
		}
	}
	return true
}
