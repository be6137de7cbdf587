package viewers

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// Kind is what a message of a stream means to a viewer.
type Kind uint8

// The kinds of messages. A frame is what carries an id.
const (
	Other Kind = iota
	Frame
	End  // the stream ends; without a retry for good
	Busy // come back later
)

// Message is a message of a stream, without its data.
type Message struct {
	Kind Kind
	ID   uint64 // of a frame: the version of the ballot
	// Retry is in milliseconds; zero when the message doesn't say.
	Retry int32
}

// Errors of Parser.Feed.
var (
	// ErrMalformed says that what comes is no HTTP/1.1 answer with a stream.
	ErrMalformed = errors.New("viewers: what comes is no event stream")
	// ErrRefused says that the answer's status is not 200.
	ErrRefused = errors.New("viewers: refused")
)

// lineKept is how much of a line is kept: enough for every field that matters.
const lineKept = 28

// Parser reads an answer that is an event stream, in whatever pieces it comes,
// and keeps nothing of it but the line that it is in. It understands lines
// that end with LF or CR LF. The zero value is ready.
type Parser struct {
	// Status is that of the answer, once its head was read; zero before.
	Status int16
	// RetryAfter is in seconds.
	RetryAfter int32

	line    [lineKept]byte
	n       uint8 // bytes of the line that are kept
	long    bool  // the line has more
	chunked bool
	phase   phase
	left    int32 // bytes of the chunk, or of the body, to come
	length  int32 // of the body, and one more; zero: not told
	status  int16 // until the head's end
	message Message
	named   Kind
}

type phase uint8

const (
	inHead phase = iota
	inBody
	inSize  // of a chunk
	inLine  // of a chunk's size, after it
	inChunk // its data
	afterChunk
	inLength // of a body whose length was told
)

// maxChunk bounds what a server may announce.
const maxChunk = 1 << 26

// Feed reads what came and calls emit for each message that is complete. It
// returns io.EOF where the answer ends before its connection does.
func (p *Parser) Feed(b []byte, emit func(Message)) error {
	for len(b) > 0 {
		var err error
		switch p.phase {
		case inHead:
			if b, err = p.head(b); err != nil {
				return err
			}
		case inBody:
			p.text(b, emit)
			return nil
		case inChunk, inLength:
			n := min(int(p.left), len(b))
			p.text(b[:n], emit)
			b = b[n:]
			if p.left -= int32(n); p.left == 0 {
				if p.phase == inLength {
					return io.EOF
				}
				p.phase = afterChunk
			}
		default:
			if err := p.frame(b[0]); err != nil {
				return err
			}
			b = b[1:]
		}
	}
	return nil
}

// frame reads a byte of what is around chunks.
func (p *Parser) frame(c byte) error {
	switch {
	case p.phase == afterChunk:
		if c == '\n' {
			p.phase, p.left = inSize, 0
		} else if c != '\r' {
			return ErrMalformed
		}
	case c == '\n':
		if p.phase = inChunk; p.left == 0 {
			return io.EOF // the last one; nothing of interest follows
		}
	case p.phase == inLine:
	default:
		digit, ok := hexDigit(c)
		switch {
		case ok && p.left < maxChunk>>4:
			p.left = p.left<<4 | digit
		case c == '\r' || c == ';' || c == ' ':
			p.phase = inLine
		default:
			return ErrMalformed
		}
	}
	return nil
}

func hexDigit(c byte) (int32, bool) {
	switch {
	case c >= '0' && c <= '9':
		return int32(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int32(c|0x20-'a') + 10, true
	default:
		return 0, false
	}
}

// keep adds to the line what there is room for.
func (p *Parser) keep(b []byte) {
	n := copy(p.line[p.n:], b)
	p.n += uint8(n)
	p.long = p.long || n < len(b)
}

// take returns the line that has ended.
func (p *Parser) take() []byte {
	line := p.line[:p.n]
	if p.n > 0 && !p.long && line[p.n-1] == '\r' {
		line = line[:p.n-1]
	}
	p.n, p.long = 0, false
	return line
}

// head reads lines of the answer's head and returns what comes after it.
func (p *Parser) head(b []byte) (rest []byte, err error) {
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			p.keep(b)
			return nil, nil
		}
		p.keep(b[:end])
		b = b[end+1:]
		line := p.take()
		switch {
		case p.status == 0:
			if p.status = statusOf(line); p.status == 0 {
				return nil, ErrMalformed
			}
		case len(line) > 0:
			p.field(line)
		case p.status/100 == 1: // an interim answer
			p.status = 0
		default:
			p.Status = p.status
			if p.phase = inBody; p.chunked {
				p.phase = inSize
			}
			switch {
			case p.Status != 200:
				return b, ErrRefused
			case p.chunked:
			case p.length == 1:
				return nil, io.EOF
			case p.length > 1:
				p.phase, p.left = inLength, p.length-1
			}
			return b, nil
		}
	}
}

func statusOf(line []byte) int16 {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return 0
	}
	n, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	if err != nil || n < 100 {
		return 0
	}
	return int16(n)
}

func (p *Parser) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		p.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Content-Length")):
		if length, ok := decimal(value); ok {
			p.length = length + 1
		}
	case bytes.EqualFold(name, []byte("Retry-After")):
		p.RetryAfter, _ = decimal(value)
	}
}

// text reads a piece of the event stream.
func (p *Parser) text(b []byte, emit func(Message)) {
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			p.keep(b)
			return
		}
		p.keep(b[:end])
		b = b[end+1:]
		p.see(p.take(), emit)
	}
}

// see understands a line of the stream (HTML Standard, section 9.2.6).
func (p *Parser) see(line []byte, emit func(Message)) {
	if len(line) == 0 {
		if p.message.Kind != Frame {
			p.message.Kind = p.named
		}
		m := p.message
		p.message, p.named = Message{}, Other
		emit(m)
		return
	}
	switch line[0] { // most lines are data, which nobody looks at
	case 'i':
		if value, ok := valueOf(line, "id"); ok {
			if id, ok := number(value); ok {
				p.message.Kind, p.message.ID = Frame, id
			}
		}
	case 'e':
		value, ok := valueOf(line, "event")
		switch {
		case ok && string(value) == "end":
			p.named = End
		case ok && string(value) == "busy":
			p.named = Busy
		}
	case 'r':
		if value, ok := valueOf(line, "retry"); ok {
			p.message.Retry, _ = decimal(value)
		}
	}
}

// valueOf returns the value of a field with the given name.
func valueOf(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || string(line[:len(name)]) != name {
		return nil, false
	}
	return bytes.TrimPrefix(line[len(name)+1:], []byte(" ")), true
}

// decimal reads a number below two thousand million.
func decimal(b []byte) (int32, bool) {
	n, ok := number(b)
	if !ok || n >= 2e9 {
		return 0, false
	}
	return int32(n), true
}

func number(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}
