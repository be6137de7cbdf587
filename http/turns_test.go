package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTurns has more connections than may read at once, none of which finishes
// what it has begun to send: nobody else notices.
func TestTurns(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	host := strings.TrimPrefix(w.url, "http://")
	const loiterers = 500
	conns := make([]net.Conn, loiterers)
	for i := range conns {
		var err error
		if conns[i], err = (&net.Dialer{}).DialContext(t.Context(), "tcp", host); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close()
		begin := []string{
			"GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Half: a head",
			"POST /api/v1/ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
			"POST /api/v1/ballots/" + b.ID + "/votes HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
		}[i%3]
		fmt.Fprint(conns[i], begin)
	}
	var voting sync.WaitGroup
	for range 200 {
		voting.Go(func() { w.vote(b.ID, "1") })
	}
	voting.Wait()
	// Those who finish are answered, one request after the other.
	for i := range conns[:30] {
		if i%3 != 0 {
			continue
		}
		if err := conns[i].SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conns[i], "\r\n\r\n")
		answers := bufio.NewReader(conns[i])
		for range 3 {
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%d %v", response.StatusCode, err)
			}
			fmt.Fprintf(conns[i], "GET /new HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		}
	}
}
