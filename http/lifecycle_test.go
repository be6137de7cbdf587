package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

func TestDrain(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	page, api := w.listen(pageLive(b)), w.listen(apiLive(b))
	page.await("")
	api.await("tally")
	w.server.Drain()
	for _, path := range []string{"/", "/ballots/" + b.ID + "/results", "/api/v1/ballots/" + b.ID} {
		if r := w.get(path).want(t, http.StatusOK); !r.last {
			t.Errorf("%s keeps its connection: %v", path, r.header)
		}
	}
	r := w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee())
	if wantProblem(t, r, http.StatusServiceUnavailable, "draining"); r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wantProblem(t, w.get(apiLive(b)), http.StatusServiceUnavailable, "draining")
	late := w.listen(pageLive(b))
	if m, _ := late.next(); m.name != "busy" || m.retry == "" {
		t.Errorf("a new viewer gets %+v", m)
	}
	w.browser().submit("/ballots", fields("question", "Why?")).want(t, http.StatusServiceUnavailable)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if m := page.await("busy"); m.retry == "" {
		t.Errorf("the page's stream ends with %+v", m)
	}
	if m := api.await("end"); !strings.Contains(m.data, "draining") || m.retry == "" {
		t.Errorf("the API's stream ends with %+v", m)
	}
}

func TestShutdownLosesPatience(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	begun, release := make(chan struct{}), make(chan struct{})
	w.faults.set(func(f *faults) {
		f.result = func() error { close(begun); <-release; return unavailable(oponn.CodeBusy) }
	})
	answered := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(mustRequest(w.url + "/ballots/" + b.ID))
		if err == nil {
			response.Body.Close()
		}
		answered <- err
	}()
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.server.Shutdown(ctx); err == nil {
		t.Error("Shutdown says that all went well")
	}
	if err := <-answered; err == nil {
		t.Error("the connection was not cut")
	}
	close(release)
}

func mustRequest(url string) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	return r
}

func TestHalfSentRequests(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.ReadTimeout = 200 * time.Millisecond }})
	host := strings.TrimPrefix(w.url, "http://")
	for name, c := range map[string]struct{ sent, answer string }{
		"nothing":            {"", ""},
		"half a head":        {"GET / HTT", ""},
		"no end of the head": {"GET / HTTP/1.1\r\nHost: " + host + "\r\n", ""},
		"half a body":        {"POST /api/v1/ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"question\"", "400"},
		"half a form":        {"POST /ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nquestion=", "400"},
		"half a chunk":       {"POST /api/v1/ballots HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{", "400"},
		"a head too large":   {"GET / HTTP/1.1\r\nHost: " + host + "\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
		"no host":            {"GET / HTTP/1.0\r\n\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(connection, c.sent)
			// The server ends it, whatever is missing still.
			answer, err := io.ReadAll(bufio.NewReader(connection))
			if err != nil && len(answer) == 0 && c.answer != "" {
				t.Fatal(err)
			}
			line, _, _ := strings.Cut(string(answer), "\r\n")
			if c.answer == "" && strings.Contains(line, " 2") || !strings.Contains(line, c.answer) || strings.Contains(line, "500") {
				t.Errorf("the answer is %q, want %s", line, c.answer)
			}
		})
	}
	// A client that goes away in the middle leaves no mark.
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(connection, "POST /api/v1/ballots HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", host)
	connection.Close()
	w.ballot(teaOrCoffee())
}

func TestPanics(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	w.faults.set(func(f *faults) { f.result = func() error { panic("a secret of ours") } })
	r := w.get("/api/v1/ballots/" + b.ID)
	wantProblem(t, r, http.StatusInternalServerError, "internal")
	p := w.browser().open("/ballots/"+b.ID).want(t, http.StatusInternalServerError)
	if strings.Contains(r.body+p.body, "secret") {
		t.Errorf("the answer tells what happened: %s", r.body)
	}
	w.faults.set(func(f *faults) { f.result = nil })
	lines := w.log.find(t, "handler panicked")
	if len(lines) != 2 || lines[0]["request"] != r.header.Get("X-Request-Id") || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "faults_test.go") {
		t.Errorf("the log says %v", lines)
	}
	for _, line := range lines {
		if stack := fmt.Sprint(line["stack"]); strings.Contains(stack, "0x") {
			t.Errorf("the stack shows arguments, which may be voters and keys:\n%s", stack)
		}
	}
	w.get("/api/v1/ballots/"+b.ID).want(t, http.StatusOK)
}

func TestDeadline(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.Deadline = 50 * time.Millisecond }})
	w.faults.set(func(f *faults) { f.result = func() error { return context.DeadlineExceeded } })
	wantProblem(t, w.get("/api/v1/ballots/"+oponn.NewBallotID().String()), http.StatusServiceUnavailable, "busy")
}

func TestRequestsAreLogged(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	token := w.token()
	voter := w.browser()
	form := voter.open("/ballots/" + b.ID)
	voter.submit("/ballots/"+b.ID+"/votes", fields("choice", "1", "vote_id", form.value("vote_id")))
	w.cast(b.ID, token, oponn.NewVoteID(), choose("1"))
	stream := w.listen(apiLive(b) + "?after=987654321")
	stream.await("beat")
	w.close(b)
	stream.await("end")
	stream.ends()
	w.get("/nowhere/secret-path")
	if err := w.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	routes := map[string]int{}
	for _, line := range w.log.find(t, "request") {
		routes[fmt.Sprint(line["method"], " ", line["route"], " ", line["status"])]++
		if line["request"] == "" || line["took"] == nil {
			t.Errorf("line %v", line)
		}
	}
	for _, want := range []string{"POST /api/v1/ballots 201", "GET /ballots/:id 200", "POST /ballots/:id/votes 303", "POST /api/v1/ballots/:id/votes 201", "GET /api/v1/ballots/:id/live 200", "PATCH /api/v1/ballots/:id 200", "GET none 404"} {
		if routes[want] != 1 {
			t.Errorf("%d lines for %s in %v", routes[want], want, routes)
		}
	}
	all := w.log.all()
	for name, private := range map[string]string{"a ballot's id": b.ID, "a token": token, "an owner's key": b.OwnerKey, "a vote id": form.value("vote_id"), "an address": "127.0.0.1", "a path": "secret-path", "a query": "987654321", "a question": "Tea"} {
		if strings.Contains(all, private) {
			t.Errorf("the log holds %s", name)
		}
	}
}
