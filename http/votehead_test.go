package http

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

const someVote = "POST /api/v1/ballots/AAAAAAAAAAAAAAAAAAAAAA/votes HTTP/1.1\r\n"

// aVote makes a vote of header fields, each on its line, with the length of its
// body.
func aVote(body string, fields ...string) string {
	fields = append(fields, "Content-Length: "+strconv.Itoa(len(body)))
	return someVote + strings.Join(fields, "\r\n") + "\r\n\r\n" + body
}

func newVoteHead() *voteHead {
	h := &voteHead{url: new(url.URL), fields: make(http.Header)}
	h.forget()
	return h
}

// TestVoteHead_Left is about what is left to net/http.
func TestVoteHead_Left(t *testing.T) {
	usual := []string{"Host: vote.example", "Content-Type: application/json"}
	with := func(more ...string) string { return aVote(`{"choices":["1"]}`, append(more, usual...)...) }
	many := strings.Split(strings.Repeat("X: 1,", maxFields), ",")
	for i := range many {
		many[i] = "X" + strconv.Itoa(i) + ": 1"
	}
	for what, sent := range map[string]string{
		"nothing":               "",
		"another method":        strings.Replace(with(), "POST", "GET", 1),
		"another path":          strings.Replace(with(), "/votes", "/codes", 1),
		"an escaped path":       strings.Replace(with(), "AAAA", "%41A", 1),
		"a query":               strings.Replace(with(), "/votes", "/votes?x=1", 1),
		"a short id":            strings.Replace(with(), "AAAA", "AAA", 1),
		"HTTP/1.0":              strings.Replace(with(), "/1.1", "/1.0", 1),
		"bare line feeds":       strings.ReplaceAll(with(), "\r\n", "\n"),
		"one bare line feed":    strings.Replace(with("X: 1"), "X: 1\r\n", "X: 1\n", 1),
		"a fold":                with("X: 1\r\n  2"),
		"a space before :":      with("X : 1"),
		"no name":               with(": 1"),
		"no :":                  with("X"),
		"an odd name":           with("X_Y: 1"),
		"a tab":                 with("X: 1\t2"),
		"a byte past ASCII":     with("X: \xff"),
		"a NUL":                 with("X: \x00"),
		"a second field":        with("X: 1", "x: 2"),
		"a second host":         with("host: other.example"),
		"a second length":       with("content-length: 17"),
		"an odd host":           strings.Replace(with(), "vote.example", "vote/example", 1),
		"no host":               aVote("{}"),
		"an empty host":         aVote("{}", "Host:"),
		"no length":             someVote + "Host: vote.example\r\n\r\n",
		"a signed length":       strings.Replace(with(), "Length: ", "Length: +", 1),
		"an empty length":       someVote + "Host: vote.example\r\nContent-Length:\r\n\r\n",
		"a huge length":         someVote + "Host: vote.example\r\nContent-Length: 18446744073709551617\r\n\r\n1",
		"half a head":           with()[:60],
		"a head without body":   strings.TrimSuffix(with(), `{"choices":["1"]}`),
		"half a body":           strings.TrimSuffix(with(), `"]}`),
		"more than a vote":      with() + "P",
		"two votes":             with() + with(),
		"chunks":                with("Transfer-Encoding: chunked"),
		"Expect":                with("Expect: 100-continue"),
		"Upgrade":               with("Connection: upgrade", "Upgrade: h2c"),
		"the end":               with("Connection: close"),
		"more than it looks at": with(many...),
	} {
		h := newVoteHead()
		if _, ok := h.read([]byte(sent)); ok {
			t.Errorf("%s is read: %q", what, sent)
		}
		// And what comes after is read as if nothing had been.
		if body, ok := h.read([]byte(with("A: b"))); !ok || string(body) != `{"choices":["1"]}` || h.host != "vote.example" || len(h.fields) != 3 {
			if again, ok := h.read([]byte(with("A: b"))); !ok || string(again) != `{"choices":["1"]}` || h.host != "vote.example" || len(h.fields) != 3 {
				t.Errorf("after %s: %q, %v, %+v", what, body, ok, h)
			}
		}
	}
}

// TestVoteHead_Allocations: of a head like the last one only what is new is
// made, here the two fields that say who votes.
func TestVoteHead_Allocations(t *testing.T) {
	h := newVoteHead()
	one := []byte(aVote("{}", "Host: vote.example", "Authorization: Bearer one", "Idempotency-Key: 01", "User-Agent: x"))
	two := []byte(aVote("{}", "Host: vote.example", "Authorization: Bearer two", "Idempotency-Key: 02", "User-Agent: x"))
	if n := testing.AllocsPerRun(100, func() {
		for _, sent := range [][]byte{one, two} {
			if _, ok := h.read(sent); !ok {
				t.Fatalf("%q is not read", sent)
			}
		}
	}); n != 4 {
		t.Errorf("two heads take %v allocations", n)
	}
}

// FuzzVoteHead holds the reader of votes, which has read another one before, to
// net/http's: what it reads, that reads too, and as the same.
func FuzzVoteHead(f *testing.F) {
	vote := aVote(`{"choices":["1"]}`, "Host: vote.example:80", "Authorization: Bearer x.y", "Idempotency-Key: 1", "content-type: application/json")
	f.Add([]byte(vote), []byte(vote))
	f.Add([]byte(vote), []byte(strings.Replace(vote, "Bearer x.y", "Basic", 1)))
	f.Add([]byte(vote), []byte(aVote("", "Host: [::1]:80", "Connection: Keep-Alive", "X:  1 ")))
	f.Add([]byte(vote), []byte(aVote("", "Host: a", "Connection: close")))
	f.Add([]byte(vote), []byte(aVote("", "Host: a", "Transfer-Encoding: chunked")))
	f.Add([]byte(vote), []byte(aVote("0\r\n\r\n", "Host: a", "Transfer-Encoding: identity")))
	f.Add([]byte(vote), []byte(aVote("12", "Host: a", "content-length: 1")))
	f.Add([]byte(aVote("", "A: b")), []byte(aVote("", "A: b")))
	f.Fuzz(func(t *testing.T, before, sent []byte) {
		h := newVoteHead()
		h.read(before)
		body, ok := h.read(sent)
		if !ok {
			return
		}
		reader := bufio.NewReader(bytes.NewReader(sent))
		r, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("%q is read, but net/http says %v", sent, err)
		}
		theirs, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(theirs, body) || reader.Buffered() > 0 {
			t.Errorf("%q: the body is %q, net/http's is %q, %v, and %d bytes are left", sent, body, theirs, err, reader.Buffered())
		}
		r.Header.Del("Host") // as its server does
		if r.Method != http.MethodPost || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Close || len(r.TransferEncoding) > 0 || r.ContentLength != int64(len(body)) ||
			r.Host != h.host || !reflect.DeepEqual(r.URL, h.url) || r.RequestURI != h.url.Path || !reflect.DeepEqual(r.Header, h.fields) {
			t.Errorf("%q: %+v, but %v at %q with %v", sent, r, h.url, h.host, h.fields)
		}
	})
}
