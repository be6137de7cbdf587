package http_test

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// message is one event of a stream, as a browser understands it.
type message struct {
	name, id, data string
	retry          string
}

func (m message) version(t *testing.T) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(m.id, 10, 64)
	if err != nil {
		t.Fatalf("an event with the id %q", m.id)
	}
	return v
}

// listener reads a stream.
type listener struct {
	t        testing.TB
	response *http.Response
	messages chan message // closed at the end of the stream
	cancel   context.CancelFunc
	api      bool // each event is held to the API's document
}

// listen opens a stream.
func (w *world) listen(path string, headers ...string) *listener {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, values := range head(headers...) {
		req.Header[name] = values
	}
	response, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	l := &listener{t: w.t, response: response, messages: make(chan message), cancel: cancel}
	if l.api = strings.HasPrefix(path, "/api/") && !w.handmade; l.api {
		theContract(w.t).holds(w.t, req, reply{status: response.StatusCode, header: response.Header})
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("the stream answers %d %s", response.StatusCode, response.Header)
	}
	go l.read(ctx)
	w.t.Cleanup(cancel)
	return l
}

func (l *listener) read(ctx context.Context) {
	defer close(l.messages)
	defer l.response.Body.Close()
	lines := bufio.NewScanner(l.response.Body)
	lines.Buffer(nil, 1<<20)
	var m message
	var data []string
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			m.name = value
		case "id":
			m.id = value
		case "retry":
			m.retry = value
		case "data":
			data = append(data, value)
		case "":
			m.data = strings.Join(data, "\n")
			select {
			case l.messages <- m:
			case <-ctx.Done():
				return
			}
			m, data = message{}, nil
		}
	}
}

// next returns the next event.
func (l *listener) next() (message, bool) {
	l.t.Helper()
	select {
	case m, ok := <-l.messages:
		if ok && l.api {
			theContract(l.t).event(l.t, m)
		}
		return m, ok
	case <-time.After(patience):
		l.t.Fatal("no event came")
		return message{}, false
	}
}

// await returns the next event of the name; plain ones have the empty name.
func (l *listener) await(name string) message {
	l.t.Helper()
	for {
		m, ok := l.next()
		if !ok {
			l.t.Fatalf("the stream ended before an event %q", name)
		}
		if m.name == name {
			return m
		}
	}
}

// ends checks that nothing follows.
func (l *listener) ends() {
	l.t.Helper()
	if m, ok := l.next(); ok {
		l.t.Fatalf("after the end came %+v", m)
	}
}

// leave closes the stream.
func (l *listener) leave() { l.cancel() }
