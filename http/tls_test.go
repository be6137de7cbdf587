package http_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn/actors"
	oponnhttp "github.com/oponn/oponn/http"
)

func TestHTTP2(t *testing.T) {
	// How long a request may take; on a busy machine a handshake takes long.
	const requests = time.Second
	w := start(t, tuning{
		http:   func(c *oponnhttp.Config) { c.ReadTimeout = requests },
		actors: func(c *actors.Config) { c.BeatEvery = requests / 2 },
	})
	b := w.ballot(teaOrCoffee())
	front := httptest.NewUnstartedServer(w.server)
	front.EnableHTTP2 = true
	front.Config.ReadTimeout, front.Config.WriteTimeout = requests, requests
	front.StartTLS()
	defer front.Close()
	get := func(path string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := front.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	r := get(pageLive(b))
	defer r.Body.Close()
	if r.ProtoMajor != 2 {
		t.Fatalf("the protocol is %s", r.Proto)
	}
	lines := bufio.NewScanner(r.Body)
	for beats, fragments := 0, 0; beats < 6 || fragments < 1; { // longer than a request may take
		if !lines.Scan() {
			t.Fatalf("the stream broke after %d beats: %v", beats, lines.Err())
		}
		switch {
		case lines.Text() == "event: beat":
			beats++
		case lines.Text() == "id: 1":
			fragments++
		}
	}
	form := read(t, get("/ballots/"+b.ID))
	if cookie := form.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-oponn_voter=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("by https the cookie is %s", cookie)
	}
}
