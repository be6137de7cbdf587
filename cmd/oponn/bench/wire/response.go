package wire

import (
	"bytes"
	"errors"
	"time"
)

// MaxResponse bounds an answer in bytes, head and body.
const MaxResponse = 1 << 20

var (
	errMalformed = errors.New("wire: what came is no HTTP/1.1 answer")
	errTooLarge  = errors.New("wire: the answer is too large")
	errEnded     = errors.New("wire: the connection ended before the answer")
)

// parse reads an answer from the beginning of b. It returns how many bytes it
// takes, or zero when it isn't there as a whole; ended says that no more comes.
// A chunked body is joined in place.
func (r *Response) parse(b []byte, ended bool) (n int, err error) {
	head := bytes.Index(b, crlfcrlf)
	if head < 0 {
		if len(b) > MaxResponse {
			return 0, errTooLarge
		}
		return 0, nil
	}
	if err := r.parseHead(b[:head+2]); err != nil {
		return 0, err
	}
	if r.Status/100 == 1 { // an interim answer: the one that counts follows
		n, err := r.parse(b[head+4:], ended)
		if n > 0 {
			n += head + 4
		}
		return n, err
	}
	rest := b[head+4:]
	switch {
	case r.Status == 204 || r.Status == 304:
		r.Body = nil
		return head + 4, nil
	case r.chunked:
		body, n, err := joinChunks(rest)
		if n == 0 || err != nil {
			return 0, err
		}
		r.Body = body
		return head + 4 + n, nil
	case r.length >= 0:
		if r.length > MaxResponse {
			return 0, errTooLarge
		}
		if len(rest) < r.length {
			return 0, nil
		}
		r.Body = rest[:r.length]
		return head + 4 + r.length, nil
	default: // the end of the connection is that of the answer
		if !ended {
			return 0, nil
		}
		r.Body, r.close = rest, true
		return len(b), nil
	}
}

var crlfcrlf = []byte("\r\n\r\n")

// parseHead reads status line and fields, each with its line's end.
func (r *Response) parseHead(b []byte) error {
	*r = Response{length: -1}
	if len(b) < len("HTTP/1.1 200\r\n") || string(b[:7]) != "HTTP/1." || b[8] != ' ' {
		return errMalformed
	}
	status, ok := number(b[9:12])
	if !ok || status < 100 {
		return errMalformed
	}
	r.Status, r.close = status, b[7] == '0'
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return nil
		}
		b = b[end+1:]
		line := b
		if end := bytes.IndexByte(b, '\r'); end >= 0 {
			line = b[:end]
		}
		if err := r.field(line); err != nil {
			return err
		}
	}
}

// field reads one field, if it is one that matters.
func (r *Response) field(line []byte) error {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return nil
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	// Most fields are none of ours: their length tells without a comparison.
	switch len(name) {
	case len("location"):
		if equalFold(name, "location") {
			r.Location = value
		}
	case len("connection"): // and of set-cookie
		switch {
		case equalFold(name, "connection"):
			r.close = r.close && !equalFold(value, "keep-alive") || equalFold(value, "close")
		case r.Cookie == nil && equalFold(name, "set-cookie"):
			r.Cookie, _, _ = bytes.Cut(value, []byte(";"))
		}
	case len("retry-after"):
		if equalFold(name, "retry-after") {
			seconds, _ := number(value) // a date is as good as nothing
			r.RetryAfter = time.Duration(seconds) * time.Second
		}
	case len("content-length"):
		if equalFold(name, "content-length") {
			return r.setLength(value)
		}
	case len("transfer-encoding"):
		if equalFold(name, "transfer-encoding") {
			r.chunked = equalFold(value, "chunked")
		}
	}
	return nil
}

func (r *Response) setLength(value []byte) error {
	length, ok := number(value)
	if !ok {
		return errMalformed
	}
	r.length = length
	return nil
}

// joinChunks joins a chunked body in place. It returns the body and how many
// bytes it took, zero when the last chunk isn't there yet.
func joinChunks(b []byte) (body []byte, n int, err error) {
	// Twice: joining moves bytes, so all of it has to be there first.
	end, err := walkChunks(b, func([]byte) {})
	if end == 0 || err != nil {
		return nil, 0, err
	}
	body = b[:0]
	_, err = walkChunks(b, func(chunk []byte) { body = append(body, chunk...) })
	return body, end, err
}

// walkChunks calls each with every chunk and returns where the body ends.
func walkChunks(b []byte, each func([]byte)) (end int, err error) {
	for at := 0; ; {
		line := bytes.IndexByte(b[at:], '\n')
		if line < 0 {
			if len(b)-at > 64 {
				return 0, errMalformed
			}
			return 0, nil
		}
		size, ok := hexNumber(b[at : at+line])
		if !ok {
			return 0, errMalformed
		}
		at += line + 1
		if size > MaxResponse || at > MaxResponse {
			return 0, errTooLarge
		}
		if len(b) < at+size+2 {
			return 0, nil
		}
		if string(b[at+size:at+size+2]) != "\r\n" {
			return 0, errMalformed // trailers count as such: nobody here sends any
		}
		if size == 0 {
			return at + 2, nil
		}
		each(b[at : at+size])
		at += size + 2
	}
}

// number reads a decimal number of at most nine digits.
func number(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// hexNumber reads the hexadecimal number a chunk begins with.
func hexNumber(b []byte) (n int, ok bool) {
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return n, i > 0 && (c == '\r' || c == ';' || c == ' ')
		}
		if i == 7 {
			return 0, false
		}
		n = n<<4 | int(c)
	}
	return n, len(b) > 0
}

// equalFold compares with a text in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
