package viewers

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

// chunked writes a text in chunks of n bytes.
func chunked(text string, n int) string {
	var b strings.Builder
	for len(text) > 0 {
		n := min(n, len(text))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, text[:n])
		text = text[n:]
	}
	return b.String() + "0\r\n\r\n"
}

const story = "event: beat\nretry: 1500\ndata: {}\n\n" +
	"event: status\ndata: {\"id: 9\":1}\n\nevent: tally\nid: 4\ndata: {\"votes\":3}\n\n" +
	": a comment\nid:12\r\ndata: <p>\r\ndata: id: 99\r\n\r\n" +
	"event: busy\nretry: 5000\ndata: busy\n\nid: x\ndata: no id\n\nevent: end\ndata: closed\n\n"

var heard = []Message{{Retry: 1500}, {}, {Kind: Frame, ID: 4}, {Kind: Frame, ID: 12}, {Kind: Busy, Retry: 5000}, {}, {Kind: End}}

// TestParser_AnyPieces cuts every stream at every byte.
func TestParser_AnyPieces(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]string{
		"UntilEnd": head + "Connection: close\r\n\r\n" + story,
		"Chunked":  head + "Transfer-Encoding: chunked\r\n\r\n" + chunked(story, 1000),
		"Chunks":   head + "transfer-encoding: Chunked\r\n\r\n" + chunked(story, 7),
		"Length":   head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(story)) + story,
		"Interim":  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head + "\r\n" + story,
	} {
		for cut := range len(stream) {
			var p Parser
			var got []Message
			emit := func(m Message) { got = append(got, m) }
			for _, piece := range []string{stream[:cut], stream[cut:]} {
				if err := p.Feed([]byte(piece), emit); err != nil && !errors.Is(err, io.EOF) {
					t.Fatalf("%s cut at %d: %v", name, cut, err)
				}
			}
			if !reflect.DeepEqual(got, heard) {
				t.Fatalf("%s cut at %d: heard %v, want %v", name, cut, got, heard)
			}
		}
	}
}

func TestParser_Refusals(t *testing.T) {
	t.Parallel()
	var p Parser
	in := "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 12\r\nContent-Length: 15\r\n\r\n{\"code\":\"busy\"}"
	if err := p.Feed([]byte(in), nil); !errors.Is(err, ErrRefused) || p.Status != 503 || p.RetryAfter != 12 {
		t.Errorf("%v, status %d, after %d", err, p.Status, p.RetryAfter)
	}
	if got := reason(503, []byte(in)); got != "503 busy" {
		t.Errorf("reason %q", got)
	}
	for _, in := range []string{"hello\n", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc"} {
		var p Parser
		if err := p.Feed([]byte(in), func(Message) {}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestParser_AllocatesNothing(t *testing.T) {
	var p Parser
	n := 0
	emit := func(Message) { n++ }
	if err := p.Feed([]byte(head+"\r\n"), emit); err != nil {
		t.Fatal(err)
	}
	frame := []byte("event: tally\nid: 123456\ndata: " + strings.Repeat("x", 1000) + "\n\n")
	if allocs := testing.AllocsPerRun(100, func() { _ = p.Feed(frame, emit) }); allocs != 0 || n == 0 {
		t.Errorf("%v allocations a frame, want none; %d frames", allocs, n)
	}
	if size := reflect.TypeFor[Parser]().Size() + reflect.TypeFor[viewer]().Size(); size > 256 {
		t.Errorf("a viewer takes %d bytes", size)
	}
}

func BenchmarkParser_Frame(b *testing.B) {
	var p Parser
	_ = p.Feed([]byte(head+"\r\n"), nil)
	frame := []byte("event: tally\nid: 123456\ndata: " + strings.Repeat("x", 1000) + "\n\n")
	emit := func(Message) {}
	b.ReportAllocs()
	for b.Loop() {
		_ = p.Feed(frame, emit)
	}
}

// FuzzParser holds a stream in one piece against the same byte by byte.
func FuzzParser(f *testing.F) {
	f.Add([]byte(head + "\r\n" + story))
	f.Add([]byte(head + "Transfer-Encoding: chunked\r\n\r\n" + chunked(story, 5)))
	f.Fuzz(func(t *testing.T, in []byte) {
		var whole, bytewise []Message
		var p, q Parser
		wholeErr := p.Feed(in, func(m Message) { whole = append(whole, m) })
		var err error
		for i := range in {
			if err = q.Feed(in[i:i+1], func(m Message) { bytewise = append(bytewise, m) }); err != nil {
				break
			}
		}
		if !errors.Is(err, wholeErr) || !reflect.DeepEqual(whole, bytewise) {
			t.Fatalf("as a whole %v, %v; byte by byte %v, %v", whole, wholeErr, bytewise, err)
		}
	})
}
