package http_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

// client is a connection to the server on which a test writes what it likes.
type client struct {
	*net.TCPConn
	t       *testing.T
	w       *world
	answers *bufio.Reader
}

func (w *world) client(t *testing.T) *client {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{c.(*net.TCPConn), t, w, bufio.NewReader(c)}
}

// write sends bytes as they are, in one segment.
func (l *client) write(text string) {
	l.t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		l.t.Fatal(err)
	}
}

// answer reads the next answer.
func (l *client) answer() reply {
	l.t.Helper()
	response, err := http.ReadResponse(l.answers, &http.Request{Method: http.MethodPost})
	if err != nil {
		l.t.Fatal(err)
	}
	return read(l.t, response)
}

// say sends a request and reads its answer.
func (l *client) say(text string) reply {
	l.t.Helper()
	l.write(text)
	return l.answer()
}

// ended fails unless the server has ended the connection.
func (l *client) ended() {
	l.t.Helper()
	if rest, err := io.ReadAll(l.answers); len(rest) > 0 || errors.Is(err, context.DeadlineExceeded) {
		l.t.Errorf("the connection goes on: %q, %v", rest, err)
	}
}

// inside is a client that net/http has let in, as it has said something other
// than a vote.
func (w *world) inside(t *testing.T) *client {
	t.Helper()
	l := w.client(t)
	l.say(anything).want(t, http.StatusOK)
	return l
}

// anything is a request other than a vote.
const anything = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"

// voteBytes makes the bytes of a vote on a ballot, with more header fields.
func (w *world) voteBytes(ballot, token, body string, more ...string) string {
	text := "POST /api/v1/ballots/" + ballot + "/votes HTTP/1.1\r\nHost: " + strings.TrimPrefix(w.url, "http://") + "\r\n"
	for i := 0; i+1 < len(more); i += 2 {
		text += more[i] + ": " + more[i+1] + "\r\n"
	}
	return text + fmt.Sprintf("Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
}

// one votes for the first option, as somebody new.
func (w *world) one(ballot string) string {
	return w.voteBytes(ballot, w.token(), `{"choices":["1"]}`, "Idempotency-Key", oponn.NewVoteID().String())
}

// ways counts votes by the way they come: past net/http, of which the first of a
// connection that was let in is waited for, and by net/http.
type ways struct{ first, later, slow atomic.Int64 }

// watched tells which way the votes come.
func (w *world) watched() *ways {
	by := new(ways)
	w.faults.set(func(f *faults) {
		f.cast = func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error) {
			switch stack := oponn.Stack(); {
			case strings.Contains(stack, "(*fastPath).serve"):
				by.first.Add(1)
			case strings.Contains(stack, "(*faults).castLater"):
				by.later.Add(1)
			default:
				by.slow.Add(1)
			}
			return cast()
		}
	})
	return by
}

// common returns of an answer's head what is in others too, and checks the rest.
func common(t *testing.T, r reply) string {
	t.Helper()
	if date, err := http.ParseTime(r.header.Get("Date")); err != nil || time.Since(date) > time.Minute || len(r.header.Get("X-Request-Id")) != 16 {
		t.Errorf("the head is %v", r.header)
	}
	h := r.header.Clone()
	h.Del("Date")
	h.Del("X-Request-Id")
	h.Del("Content-Length") // of a time's digits
	return fmt.Sprint(h)
}

// TestFastPath_Same sends the same on all ways: read by net/http behind another
// request, waited for, by the reactor after that, and by the reactor from the
// beginning. The answers must not differ but in what is new each time.
func TestFastPath_Same(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
	b := w.ballot(teaOrCoffee())
	by := w.watched()
	key := func() []string { return []string{"Idempotency-Key", oponn.NewVoteID().String()} }
	for name, c := range map[string]struct {
		status int
		made   func() string
	}{
		"a vote":           {http.StatusCreated, func() string { return w.one(b.ID) }},
		"a write-in":       {http.StatusCreated, func() string { return w.voteBytes(b.ID, w.token(), `{"write_in":"water"}`, key()...) }},
		"no such option":   {http.StatusUnprocessableEntity, func() string { return w.voteBytes(b.ID, w.token(), `{"choices":["99"]}`, key()...) }},
		"no such ballot":   {http.StatusNotFound, func() string { return w.one(oponn.NewBallotID().String()) }},
		"no token":         {http.StatusUnauthorized, func() string { return w.voteBytes(b.ID, "x", `{"choices":["1"]}`, key()...) }},
		"no vote id":       {http.StatusUnprocessableEntity, func() string { return w.voteBytes(b.ID, w.token(), `{"choices":["1"]}`) }},
		"no JSON":          {http.StatusBadRequest, func() string { return w.voteBytes(b.ID, w.token(), `{"choices`, key()...) }},
		"no body":          {http.StatusBadRequest, func() string { return w.voteBytes(b.ID, w.token(), ``, key()...) }},
		"of another site":  {http.StatusForbidden, func() string { return w.voteBytes(b.ID, w.token(), `{}`, "Sec-Fetch-Site", "cross-site") }},
		"of another media": {http.StatusUnsupportedMediaType, func() string { return strings.Replace(w.one(b.ID), "application/json", "text/plain", 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			slow := w.client(t)
			slow.write(anything + c.made())
			slow.answer().want(t, http.StatusOK)
			first := slow.answer()
			head := common(t, first)
			inside, door := w.inside(t), w.client(t)
			for way, second := range map[string]reply{
				"waited for":     inside.say(c.made()),
				"by the reactor": inside.say(c.made()),
				"at the door":    door.say(c.made()),
				"once more":      door.say(c.made()),
			} {
				if first.status != c.status || second.status != c.status || first.last || second.last {
					t.Errorf("%s answered %d, else %d, want %d; %s", way, second.status, first.status, c.status, second.body)
				}
				if again := common(t, second); again != head {
					t.Errorf("%s answered with %s, else with %s", way, again, head)
				}
				if c.status >= http.StatusBadRequest && first.body != second.body {
					t.Errorf("%s answered %s, else %s", way, second.body, first.body)
				}
			}
		})
	}
	if first, later, slow := by.first.Load(), by.later.Load(), by.slow.Load(); first < 3 || later < 3 || slow < 3 {
		t.Errorf("%d votes took the fast path and were waited for, %d were not, %d took the slow one", first, later, slow)
	}
	again := w.one(b.ID)
	l := w.client(t)
	l.say(again).want(t, http.StatusCreated)
	l.say(again).want(t, http.StatusOK)
	w.client(t).say(again).want(t, http.StatusOK)
}

// TestFastPath_Mixed sends votes among other requests, whole, in pieces and
// several at once: each is answered in its turn, and counted once.
func TestFastPath_Mixed(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	by := w.watched()
	l, votes := w.client(t), 0
	vote := func(send func(text string)) {
		t.Helper()
		send(w.one(b.ID))
		l.answer().want(t, http.StatusCreated)
		votes++
	}
	get := "GET /api/v1/ballots/" + b.ID + "/results HTTP/1.1\r\nHost: x\r\n\r\n"
	for range 3 {
		vote(l.write)
		l.say(get).want(t, http.StatusOK)
	}
	vote(func(text string) { // in two pieces
		end := strings.Index(text, "\r\n\r\n") + 4
		l.write(text[:end])
		l.write(text[end:])
	})
	vote(func(text string) { // byte by byte
		for _, b := range []byte(text) {
			l.write(string(b))
		}
	})
	vote(func(text string) { l.write(text + "\r\n") }) // with a line too many, as old clients have it
	vote(l.write)
	l.write(w.one(b.ID) + w.one(b.ID) + get + w.one(b.ID))
	for _, status := range []int{http.StatusCreated, http.StatusCreated, http.StatusOK, http.StatusCreated} {
		l.answer().want(t, status)
	}
	votes += 3
	vote(l.write)
	l.say("POST /api/v1/voters HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"count\":1}\r\n0\r\n\r\n").want(t, http.StatusCreated)
	vote(l.write)
	// What looks like a vote is none as the body of something else.
	inner := w.one(b.ID)
	l.write(fmt.Sprintf("POST /api/v1/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(inner)))
	l.write(inner)
	l.answer().want(t, http.StatusBadRequest)
	vote(l.write)
	last := l.say(strings.Replace(w.one(b.ID), "\r\n", "\r\nConnection: close\r\n", 1)).want(t, http.StatusCreated)
	if votes++; !last.last {
		t.Errorf("the last answer has %v", last.header)
	}
	l.ended()
	first, later, slow := by.first.Load(), by.later.Load(), by.slow.Load()
	if got := w.results(b.ID).Votes; got != uint64(votes) || first+later+slow != int64(votes) || first < 4 {
		t.Errorf("%d votes are counted, want %d; %d took the fast path, %d later, %d the other", got, votes, first, later, slow)
	}
}

// TestFastPath_OnlyAtABoundary: what looks like a vote is none in the middle of
// a request that was sent ahead.
func TestFastPath_OnlyAtABoundary(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	get := "GET /api/v1/ballots/" + b.ID + "/results HTTP/1.1\r\nHost: x\r\n"
	for _, ahead := range []string{"X", "\r\nX", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "POST /api/v1/ballots HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"} {
		l := w.client(t)
		l.write(get + "\r\n" + ahead)
		l.answer().want(t, http.StatusOK)
		l.write(w.one(b.ID))
		if err := l.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if r := l.answer(); r.status/100 != 4 {
			t.Errorf("after %q: %d %s", ahead, r.status, r.body)
		}
	}
	if n := w.results(b.ID).Votes; n != 0 {
		t.Errorf("%d votes are counted", n)
	}
}

// stages are what has become of a connection when a vote comes on it.
var stages = map[string]struct {
	begin  func(*world, *testing.T) *client
	before int // votes
	way    string
}{
	"waited for":        {(*world).inside, 0, "(*fastPath).serve"},
	"given to a loop":   {(*world).inside, 1, "(*faults).castLater"},
	"new":               {(*world).client, 0, "(*faults).castLater"},
	"still at the door": {(*world).client, 1, "(*faults).castLater"},
}

// TestFastPath_Ends drains and shuts the server down while a vote on the fast
// path, whose connection net/http thinks is idle, or doesn't know, is not
// answered.
func TestFastPath_Ends(t *testing.T) {
	for name, stage := range stages {
		t.Run(name, func(t *testing.T) { endsWithAVote(t, stage.begin, stage.before, stage.way) })
	}
}

func endsWithAVote(t *testing.T, begin func(*world, *testing.T) *client, before int, way string) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	l, other, silent := begin(w, t), begin(w, t), begin(w, t)
	for range before {
		l.say(w.one(b.ID)).want(t, http.StatusCreated)
		other.say(w.one(b.ID)).want(t, http.StatusCreated)
	}
	late := w.one(b.ID)

	begun, release := make(chan string, 1), make(chan struct{})
	w.faults.set(func(f *faults) {
		f.cast = func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error) {
			begun <- oponn.Stack()
			<-release
			return cast()
		}
	})
	l.write(w.one(b.ID))
	if stack := <-begun; !strings.Contains(stack, way) {
		t.Fatal(stack)
	}
	w.server.Drain()
	if r := other.say(late); r.status != http.StatusServiceUnavailable || !r.last || r.header.Get("Retry-After") == "" {
		t.Errorf("a vote while it drains: %+v", r)
	}
	other.ended()
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- w.server.Shutdown(ctx)
	}()
	for !w.server.Shut() {
		runtime.Gosched()
	}
	select {
	case <-w.served:
		t.Error("it does not wait for a vote")
	default:
	}
	close(release)
	l.answer().want(t, http.StatusCreated)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	l.ended()
	silent.ended()
}

// TestDoor_CostsNoGoroutine: neither those who say nothing nor those who vote.
func TestDoor_CostsNoGoroutine(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	w.client(t).say(w.one(b.ID)).want(t, http.StatusCreated)
	before := runtime.NumGoroutine()
	const many = 50
	for range many {
		w.client(t)
		w.client(t).say(w.one(b.ID)).want(t, http.StatusCreated)
	}
	if after := runtime.NumGoroutine(); after > before+many/5 {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// TestFastPath_LosesPatience shuts down without time for the vote under way.
func TestFastPath_LosesPatience(t *testing.T) {
	for name, stage := range stages {
		t.Run(name, func(t *testing.T) { losesPatience(t, stage.begin, stage.before) })
	}
}

func losesPatience(t *testing.T, begin func(*world, *testing.T) *client, before int) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	l := begin(w, t)
	for range before {
		l.say(w.one(b.ID)).want(t, http.StatusCreated)
	}
	begun, release := make(chan struct{}), make(chan struct{})
	w.faults.set(func(f *faults) {
		f.cast = func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error) {
			close(begun)
			<-release
			return cast()
		}
	})
	l.write(w.one(b.ID))
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.server.Shutdown(ctx); err == nil {
		t.Error("Shutdown says that all went well")
	}
	l.ended()
	close(release)
}
