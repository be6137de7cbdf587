package http_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	oponnhttp "github.com/oponn/oponn/http"
)

// allocated returns how many bytes the process allocates while something runs.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// many repeats a text up to a number of bytes.
func many(text string, size int) string { return strings.Repeat(text, size/len(text)) }

// zeros is a megabyte of nothing, as a thousandth of that.
func zeros(t *testing.T) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// TestBombs sends bodies that are small for what they could make of the
// server's memory, or of its answer. Each is refused, at a price that stays in
// proportion to what was sent.
func TestBombs(t *testing.T) {
	const size = 250 << 10
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	form := "application/x-www-form-urlencoded"
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	for name, tt := range map[string]struct {
		body   string
		header []string
		status int
		code   string
	}{
		"nested lists":            {`{"question":` + deep("[", "]", 100_000) + `}`, nil, 400, "malformed"},
		"nested lists, no end":    {`{"question":` + strings.Repeat("[", 200_000), nil, 400, "malformed"},
		"nested objects":          {`{"choices":` + strings.Repeat(`{"a":`, 40_000) + "1" + strings.Repeat("}", 40_000) + `}`, nil, 400, "malformed"},
		"just too deep":           {`{"options":` + deep("[", "]", 17) + `}`, nil, 400, "malformed"},
		"not deep at all":         {`{"question":"` + many("[", 400) + `"}`, nil, 422, "invalid"},
		"100,000 options":         {`{"question":"?","options":[` + strings.TrimSuffix(strings.Repeat("1,", 100_000), ",") + `]}`, nil, 422, "invalid"},
		"80,000 texts":            {`{"question":"?","options":[` + strings.TrimSuffix(many(`"",`, size), ",") + `]}`, nil, 422, "invalid"},
		"20,000 fields":           {numbered(`"%d":1`, "{", "}", 20_000), nil, 422, "invalid"},
		"one field 20,000 times":  {"{" + strings.TrimSuffix(many(`"question":1,`, size), ",") + "}", nil, 422, "invalid"},
		"a long number":           {`{"retention_days":` + many("9", size) + `}`, nil, 422, "invalid"},
		"a packed body":           {zeros(t), []string{"Content-Encoding", "gzip"}, 415, "unsupported"},
		"a packed body, unnamed":  {zeros(t), []string{"Content-Encoding", "identity"}, 415, "unsupported"},
		"a packed body as itself": {zeros(t), []string{"Content-Type", "application/gzip"}, 415, "unsupported"},
		"parts":                   {"--x\r\n", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "unsupported"},
		"UTF-7":                   {"{}", []string{"Content-Type", "application/json; charset=utf-7"}, 415, "unsupported"},
		"a body too large":        {many(" ", 300<<10), nil, 413, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			var r reply
			spent := allocated(func() { r = w.send(http.MethodPost, "/api/v1/ballots", tt.body, tt.header...) })
			wantProblem(t, r, tt.status, tt.code)
			if len(r.body) > 8<<10 {
				t.Errorf("the answer has %d bytes", len(r.body))
			}
			if most := uint64(4<<20 + 40*len(tt.body)); spent > most {
				t.Errorf("it cost %d bytes of memory, for %d sent", spent, len(tt.body))
			}
		})
	}
	for name, tt := range map[string]struct {
		path, body string
		statuses   []int
	}{
		"100,000 rows":    {"/ballots", "question=%3F" + many("&options=", 240<<10), []int{400, 422}},
		"100,000 choices": {"/ballots/" + b.ID + "/votes", "choice=1" + many("&choice=", 8000), []int{400, 401, 422}},
		"100,000 fields":  {"/ballots", "a" + many("&a", 240<<10), []int{400}},
		"more rows":       {"/ballots", "more=1&question=%3F" + many("&options=x", 90<<10), []int{200, 400}},
	} {
		t.Run(name, func(t *testing.T) {
			var r reply
			spent := allocated(func() {
				r = w.do(request{method: http.MethodPost, path: tt.path, header: head("Content-Type", form), body: reader(tt.body)})
			})
			if !strings.Contains(fmt.Sprint(tt.statuses), fmt.Sprint(r.status)) || len(r.body) > 256<<10 || spent > 48<<20 {
				t.Errorf("it is answered by %d with %d bytes, and cost %d of memory", r.status, len(r.body), spent)
			}
		})
	}
	w.vote(b.ID, "1")
}

// numbered writes a template so many times.
func numbered(template, open, shut string, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(template, i)
	}
	return open + strings.Join(parts, ",") + shut
}

// TestSlowClients keeps connections that send a byte now and then. They are cut
// when a request has taken too long to arrive, however busy they look, and keep
// nobody from being served meanwhile.
func TestSlowClients(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.ReadTimeout = time.Second }})
	b := w.ballot(teaOrCoffee())
	host := strings.TrimPrefix(w.url, "http://")
	for name, first := range map[string]string{
		"a head": "GET / HTTP/1.1\r\nHost: " + host + "\r\nX-A: ",
		"a body": "POST /api/v1/ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"question\":\"",
		"a vote": "POST /ballots/" + b.ID + "/votes HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8000\r\n\r\nchoice=",
		"chunks": "POST /api/v1/ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			drip := "x"
			if name == "chunks" {
				drip = "1\r\nx\r\n"
			}
			var connections []net.Conn
			for range 50 {
				connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
				if err != nil {
					t.Fatal(err)
				}
				defer connection.Close()
				fmt.Fprint(connection, first)
				connections = append(connections, connection)
			}
			w.vote(b.ID, "1")
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			last := connections[len(connections)-1]
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, last) // until the server has had enough
			}()
			for deadline := time.Now().Add(patience); ; {
				select {
				case <-ended:
					return
				case <-tick.C:
					if time.Now().After(deadline) {
						t.Fatal("the connection is still open")
					}
					_, _ = io.WriteString(last, drip)
				}
			}
		})
	}
}
