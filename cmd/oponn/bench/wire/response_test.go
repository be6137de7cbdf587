package wire

import (
	"testing"
	"time"
)

func TestResponse_Parse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in     string
		ended  bool
		want   Response
		body   string
		took   int // -1: all of it
		failed bool
	}{
		"Length":     {in: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi", want: Response{Status: 201}, body: "hi", took: -1},
		"Case":       {in: "HTTP/1.1 503 Busy\r\ncontent-LENGTH:0\r\nRETRY-after: 7\r\nconnection: Close\r\n\r\n", want: Response{Status: 503, RetryAfter: 7 * time.Second, close: true}, took: -1},
		"Chunked":    {in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", want: Response{Status: 200}, body: "abc0123456789", took: -1},
		"UntilEnd":   {in: "HTTP/1.1 200 OK\r\n\r\nabc", ended: true, want: Response{Status: 200, close: true}, body: "abc", took: -1},
		"Old":        {in: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", want: Response{Status: 200, close: true}, took: -1},
		"NoContent":  {in: "HTTP/1.1 204 No Content\r\n\r\n", want: Response{Status: 204}, took: -1},
		"Interim":    {in: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", want: Response{Status: 200}, body: "x", took: -1},
		"Form":       {in: "HTTP/1.1 303 See Other\r\nLocation: /a?after=5\r\nSet-Cookie: v=1; Path=/\r\nSet-Cookie: w=2\r\nContent-Length: 0\r\n\r\n", want: Response{Status: 303, Location: []byte("/a?after=5"), Cookie: []byte("v=1")}, took: -1},
		"More":       {in: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz", want: Response{Status: 200}, body: "x", took: len("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")},
		"Head":       {in: "HTTP/1.1 200 OK\r\nContent-Le"},
		"HalfBody":   {in: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"},
		"HalfChunks": {in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"},
		"NotEnded":   {in: "HTTP/1.1 200 OK\r\n\r\nabc"},
		"BadStatus":  {in: "HTTP/1.1 abc OK\r\n\r\n", failed: true},
		"BadLength":  {in: "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", failed: true},
		"BadChunk":   {in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", failed: true},
		"TooLong":    {in: "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", failed: true},
		"Other":      {in: "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			var r Response
			took, err := r.parse([]byte(test.in), test.ended)
			want := test.took
			if want < 0 {
				want = len(test.in)
			}
			if took != want || (err != nil) != test.failed {
				t.Fatalf("took %d and says %v, want %d", took, err, want)
			}
			if took == 0 {
				return
			}
			if r.Status != test.want.Status || r.RetryAfter != test.want.RetryAfter || r.close != test.want.close ||
				string(r.Location) != string(test.want.Location) || string(r.Cookie) != string(test.want.Cookie) || string(r.Body) != test.body {
				t.Errorf("%+v with body %q", r, r.Body)
			}
		})
	}
}

// FuzzResponse holds two ways against each other: what has come as a whole, and
// what comes byte by byte.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 4<<10 {
			return
		}
		var whole Response
		took, err := whole.parse(append([]byte(nil), in...), false)
		if took > len(in) || took > 0 && err != nil {
			t.Fatalf("took %d of %d bytes and says %v", took, len(in), err)
		}
		for n := range len(in) + 1 {
			var r Response
			got, failed := r.parse(append([]byte(nil), in[:n]...), false)
			if got == 0 && failed == nil {
				continue
			}
			if failed != nil {
				if took > 0 {
					t.Fatalf("the first %d bytes are refused (%v), all of them are taken", n, failed)
				}
				return
			}
			if got != took || r.Status != whole.Status || string(r.Body) != string(whole.Body) {
				t.Fatalf("byte by byte %d and %d %q, as a whole %d and %d %q", got, r.Status, r.Body, took, whole.Status, whole.Body)
			}
			return
		}
	})
}
