package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	oponnhttp "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/sqlite"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// secret signs in tests.
var secret = []byte("a secret that only the tests know")

// world is the whole service, on a socket: server, actors, SQLite, keys.
type world struct {
	t      testing.TB
	url    string // http://127.0.0.1:port
	server *oponnhttp.Server
	system *actors.System
	faults *faults
	log    *logLines // the server's
	behind *logLines // the actors'
	served chan error
	// handmade says that a test makes the events of streams, which then are no
	// longer held to the API's document.
	handmade bool
}

// tuning is what a test wants different.
type tuning struct {
	http   func(*oponnhttp.Config)
	actors func(*actors.Config)
}

// start starts the service and ends it with the test.
func start(t testing.TB, tune tuning) *world {
	t.Helper()
	w := &world{t: t, log: &logLines{}, behind: &logLines{}, served: make(chan error, 1)}
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store := openStore(t)
	kek, err := keys.OpenLocal(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := actors.Config{Store: store, Keys: keys.NewRing(kek), Bus: bus.NewLocal(), Logger: slog.New(slog.NewJSONHandler(w.behind, nil)), FrameInterval: time.Millisecond}
	if tune.actors != nil {
		tune.actors(&cfg)
	}
	if w.system, err = actors.Start(cfg); err != nil {
		t.Fatal(err)
	}
	w.faults = &faults{Ballots: w.system}
	web := oponnhttp.Config{Secrets: [][]byte{secret}, VoterTokens: true, Logger: logger}
	if tune.http != nil {
		tune.http(&web)
	}
	if w.server, err = oponnhttp.New(web, w.faults); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	go func() { w.served <- w.server.Serve(listener) }()
	t.Cleanup(func() { w.stop(store) })
	return w
}

func openStore(t testing.TB) oponn.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "oponn.db"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func (w *world) stop(store oponn.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		w.t.Errorf("Shutdown: %v", err)
	}
	if err := <-w.served; err != nil {
		w.t.Errorf("Serve: %v", err)
	}
	if err := w.system.Drain(ctx); err != nil {
		w.t.Errorf("Drain: %v", err)
	}
	if err := store.Close(); err != nil {
		w.t.Errorf("Close: %v", err)
	}
	if w.t.Failed() {
		w.t.Logf("what the service logged:\n%s%s", w.log.all(), w.behind.all())
	}
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	last   bool // of its connection
}

// request is one to be sent as it is: no cookies, no redirects followed.
type request struct {
	method, path string
	header       http.Header
	body         io.Reader
}

func (w *world) do(r request) reply {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, w.url+r.path, r.body)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if host := r.header.Get("Host"); host != "" {
		req.Host = host
	}
	response, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := read(w.t, response)
	theContract(w.t).holds(w.t, req, answer)
	return answer
}

func read(t testing.TB, response *http.Response) reply {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(body), last: response.Close}
}

// get reads a path.
func (w *world) get(path string, headers ...string) reply {
	w.t.Helper()
	return w.do(request{method: http.MethodGet, path: path, header: head(headers...)})
}

// send sends JSON: a value to be encoded, or a string as it is.
func (w *world) send(method, path string, body any, headers ...string) reply {
	w.t.Helper()
	text, raw := body.(string)
	if !raw {
		encoded, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(encoded)
	}
	header := head(headers...)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return w.do(request{method: method, path: path, header: header, body: strings.NewReader(text)})
}

// head makes a header of names and values in turn.
func head(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// document reads a reply's JSON.
func document[T any](t testing.TB, r reply) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(r.body), &value); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return value
}

// want checks a reply's status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d; body %.600s", r.status, status, r.body)
	}
	return r
}

type (
	created struct {
		ID       string
		OwnerKey string `json:"owner_key"`
		URL      string
		Options  []struct{ ID, Label string }
	}
	tally struct {
		Ballot  string
		Version uint64
		Votes   uint64
		Status  string
		Options []struct {
			ID, Label string
			Votes     uint64
		}
	}
	problem struct {
		Type, Title, Detail, Code string
		Status                    int
		Errors                    []oponn.FieldError
	}
	receipt struct {
		VoteID  string `json:"vote_id"`
		Receipt string
		Version uint64
		At      time.Time
	}
)

// draft is a ballot as the API takes it.
type draft map[string]any

func teaOrCoffee() draft {
	return draft{"question": "Tea or coffee?", "options": []string{"tea", "coffee"}, "allow_write_in": true}
}

// ballot makes one by the API.
func (w *world) ballot(d draft) created {
	w.t.Helper()
	return document[created](w.t, w.send(http.MethodPost, "/api/v1/ballots", d).want(w.t, http.StatusCreated))
}

// token returns one voter token.
func (w *world) token() string {
	w.t.Helper()
	r := w.send(http.MethodPost, "/api/v1/voters", map[string]int{"count": 1}).want(w.t, http.StatusCreated)
	return document[struct{ Tokens []string }](w.t, r).Tokens[0]
}

// cast votes by the API as the voter of a token.
func (w *world) cast(ballot, token string, vote oponn.VoteID, body any) reply {
	w.t.Helper()
	return w.send(http.MethodPost, "/api/v1/ballots/"+ballot+"/votes", body,
		"Authorization", "Bearer "+token, "Idempotency-Key", vote.String())
}

// vote votes by the API as somebody new.
func (w *world) vote(ballot, option string) receipt {
	w.t.Helper()
	r := w.cast(ballot, w.token(), oponn.NewVoteID(), choose(option))
	return document[receipt](w.t, r.want(w.t, http.StatusCreated))
}

func choose(option string) any { return map[string][]string{"choices": {option}} }

// close closes a ballot as its owner.
func (w *world) close(b created) reply {
	w.t.Helper()
	return w.send(http.MethodPatch, "/api/v1/ballots/"+b.ID, `{"status":"closed"}`, "Authorization", "Bearer "+b.OwnerKey).want(w.t, http.StatusOK)
}

func (w *world) results(ballot string) tally {
	w.t.Helper()
	return document[tally](w.t, w.get("/api/v1/ballots/"+ballot+"/results").want(w.t, http.StatusOK))
}

// wantProblem checks that a reply is a problem document with the code.
func wantProblem(t *testing.T, r reply, status int, code string) problem {
	t.Helper()
	r.want(t, status)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("a problem as %q: %s", got, r.body)
	}
	p := document[problem](t, r)
	if p.Code != code || p.Status != status || p.Detail == "" || p.Title == "" || p.Type == "" {
		t.Fatalf("problem %+v, want code %s", p, code)
	}
	for _, leak := range []string{"goroutine", ".go:", "panic", "runtime error"} {
		if strings.Contains(r.body, leak) {
			t.Fatalf("the problem tells about our insides: %s", r.body)
		}
	}
	return p
}

// errors are the codes of the fields by name.
func (p problem) errors() map[string]string {
	m := map[string]string{}
	for _, e := range p.Errors {
		m[e.Field] = e.Code
	}
	return m
}

// reader makes a body of a text.
func reader(text string) io.Reader { return bytes.NewReader([]byte(text)) }

// awaitLoad waits until so many streams are open.
func (w *world) awaitLoad(streams int) {
	w.t.Helper()
	end := time.Now().Add(patience)
	for {
		load, err := w.system.Load(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		if load.Streams == streams {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%d streams are open, want %d", load.Streams, streams)
		}
		runtime.Gosched()
	}
}
