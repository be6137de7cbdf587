package http_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	oponnhttp "github.com/oponn/oponn/http"
)

func apiLive(b created) string  { return "/api/v1/ballots/" + b.ID + "/live" }
func pageLive(b created) string { return "/ballots/" + b.ID + "/live" }

// decode reads an event's JSON.
func decode[T any](t *testing.T, m message) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(m.data), &value); err != nil {
		t.Fatalf("%v in %+v", err, m)
	}
	return value
}

// fragmentVotes reads the counts in a fragment of HTML.
func fragmentVotes(t *testing.T, m message) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(m.data))
	if err != nil {
		t.Fatal(err)
	}
	var counts []string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "small" {
			counts = append(counts, n.FirstChild.Data)
		}
	}
	return strings.Join(counts, " ")
}

func TestStreamsShowTheSameVersions(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	api, page := w.listen(apiLive(b)), w.listen(pageLive(b))
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if api.response.Header.Get(name) != want || page.response.Header.Get(name) != want {
			t.Errorf("%s: %q and %q", name, api.response.Header.Get(name), page.response.Header.Get(name))
		}
	}
	for n := range uint64(5) {
		if n > 0 {
			w.vote(b.ID, "2")
		}
		m, f := api.await("tally"), page.await("")
		got := decode[tally](t, m)
		if m.version(t) != n+1 || got.Version != n+1 || got.Votes != n || got.Options[1].Votes != n || got.Ballot != b.ID {
			t.Fatalf("the API's frame after %d votes: %+v", n, m)
		}
		if want := "0 " + strconv.FormatUint(n, 10); f.version(t) != n+1 || fragmentVotes(t, f) != want {
			t.Fatalf("the page's frame after %d votes: %+v", n, f)
		}
		if want := w.get("/api/v1/ballots/" + b.ID + "/results").body; m.data != want {
			t.Fatalf("the stream says %s, the result %s", m.data, want)
		}
		if strings.Contains(f.data, "hx-") || strings.Contains(f.data, "style=") || strings.Contains(f.data, "<script") {
			t.Fatalf("a fragment for everybody with %s", f.data)
		}
	}
}

func TestStreamBegins(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	retries := map[string]bool{}
	for range 5 {
		m, _ := w.listen(pageLive(b)).next()
		retries[m.retry] = true
		if at, err := time.Parse(time.RFC3339, m.data); m.name != "beat" || err != nil || time.Since(at).Abs() > time.Minute {
			t.Fatalf("the first event is %+v", m)
		}
	}
	if len(retries) < 2 {
		t.Errorf("all viewers come back together: %v", retries)
	}
	m, _ := w.listen(apiLive(b)).next()
	if at := decode[struct{ At time.Time }](t, m).At; m.name != "beat" || m.retry == "" || time.Since(at).Abs() > time.Minute {
		t.Errorf("the first event is %+v", m)
	}
}

func TestStreamsResume(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for range 3 {
		w.vote(b.ID, "1")
	}
	for name, open := range map[string]func(path string) *listener{
		"Last-Event-ID": func(path string) *listener { return w.listen(path, "Last-Event-ID", "4") },
		"after":         func(path string) *listener { return w.listen(path + "?after=4") },
		"the later one": func(path string) *listener { return w.listen(path+"?after=2", "Last-Event-ID", "4") },
		"the other":     func(path string) *listener { return w.listen(path+"?after=4", "Last-Event-ID", "2") },
		"and nonsense":  func(path string) *listener { return w.listen(path+"?after=4", "Last-Event-ID", "-1") },
		"nonsense after": func(path string) *listener {
			return w.listen(path+"?after=99999999999999999999999", "Last-Event-ID", "4")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.ballot(teaOrCoffee())
			for range 3 {
				w.vote(b.ID, "1")
			}
			api, page := open(apiLive(b)), open(pageLive(b))
			w.vote(b.ID, "2")
			if m := api.await("tally"); m.version(t) != 5 {
				t.Errorf("the API goes on with %s", m.id)
			}
			if m := page.await(""); m.version(t) != 5 {
				t.Errorf("the page goes on with %s", m.id)
			}
		})
	}
	if m := w.listen(apiLive(b) + "?after=3").await("tally"); m.version(t) != 4 {
		t.Errorf("what was missed is %s", m.id)
	}
}

func TestStreamsEnd(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	api, page := w.listen(apiLive(b)), w.listen(pageLive(b))
	api.await("tally")
	page.await("")
	w.close(b)
	status := api.await("status")
	if s := decode[struct {
		Status   string
		ClosedAt time.Time `json:"closed_at"`
	}](t, status); s.Status != "closed" || s.ClosedAt.IsZero() {
		t.Errorf("status %+v", status)
	}
	if last := decode[tally](t, api.await("tally")); last.Status != "closed" {
		t.Errorf("the last frame is %+v", last)
	}
	if end := decode[struct{ Reason string }](t, api.await("end")); end.Reason != "closed" {
		t.Errorf("the end says %+v", end)
	}
	api.ends()
	page.await("")
	page.await("end")
	page.ends()

	// Whoever comes later gets the final result and the end.
	api, page = w.listen(apiLive(b)), w.listen(pageLive(b))
	api.await("tally")
	api.await("end")
	page.await("")
	page.await("end")
	page = w.listen(pageLive(b), "Last-Event-ID", "2")
	if m, _ := page.next(); m.name != "beat" {
		t.Errorf("first comes %+v", m)
	}
	if m, _ := page.next(); m.name != "end" {
		t.Errorf("to one who has seen all comes %+v", m)
	}
}

func TestStreamStatusOnlyWhenItChanges(t *testing.T) {
	w := start(t, tuning{})
	scheduled := teaOrCoffee()
	scheduled["opens_at"] = time.Now().Add(1500 * time.Millisecond)
	b := w.ballot(scheduled)
	api := w.listen(apiLive(b))
	if first := decode[tally](t, api.await("tally")); first.Status != "scheduled" {
		t.Fatalf("the first frame is %+v", first)
	}
	var names []string
	voted := false
	for {
		m, _ := api.next()
		if m.name == "beat" {
			continue
		}
		names = append(names, m.name)
		if m.name == "status" && decode[struct{ Status string }](t, m).Status != "open" {
			t.Fatalf("status %+v", m)
		}
		if m.name == "tally" && voted {
			break
		}
		if m.name == "tally" {
			w.vote(b.ID, "1")
			voted = true
		}
	}
	if got := strings.Join(names, " "); got != "status tally tally" {
		t.Errorf("events %s", got)
	}
}

func TestStreamBeats(t *testing.T) {
	w := start(t, tuning{actors: func(c *actors.Config) { c.BeatEvery = 50 * time.Millisecond }})
	b := w.ballot(teaOrCoffee())
	api, page := w.listen(apiLive(b)), w.listen(pageLive(b))
	for range 4 {
		api.await("beat")
		page.await("beat")
	}
}

func TestStreamsNotThere(t *testing.T) {
	w := start(t, tuning{})
	unknown := created{ID: oponn.NewBallotID().String()}
	wantProblem(t, w.get(apiLive(unknown)), http.StatusNotFound, "not_found")
	wantProblem(t, w.do(request{method: http.MethodGet, path: apiLive(created{ID: "x"})}), http.StatusNotFound, "not_found")
	page := w.listen(pageLive(unknown))
	page.await("end")
	page.ends()

	b := w.ballot(teaOrCoffee())
	w.faults.set(func(f *faults) {
		f.watch = func(oponn.Viewer) error { return oponn.Errorf(oponn.CodeGone, "This ballot was deleted.") }
	})
	wantProblem(t, w.get(apiLive(b)), http.StatusGone, "gone")
	w.listen(pageLive(b)).await("end")

	w.faults.set(func(f *faults) { f.watch = func(oponn.Viewer) error { return unavailable(oponn.CodeBusy) } })
	r := w.get(apiLive(b))
	if wantProblem(t, r, http.StatusServiceUnavailable, "busy"); r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	page = w.listen(pageLive(b))
	if m := page.await("busy"); m.retry == "" {
		t.Errorf("busy without retry: %+v", m)
	}
	page.ends()
	w.faults.set(func(f *faults) { f.watch = nil })
	for _, path := range []string{apiLive(b), pageLive(b)} {
		if r := w.do(request{method: http.MethodHead, path: path}).want(t, http.StatusOK); r.header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD %s: %v", path, r.header)
		}
	}
}

func TestStreamSeats(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.MaxStreams, c.RateLimits = 4, true }})
	b := w.ballot(teaOrCoffee())
	first := w.listen(apiLive(b))
	first.await("tally")
	second := w.listen(pageLive(b))
	second.await("")
	r := w.get(apiLive(b))
	if wantProblem(t, r, http.StatusServiceUnavailable, "busy"); r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.listen(pageLive(b)).await("busy")
	first.leave()
	for { // the seat is free as soon as the server has seen that its viewer left
		third := w.listen(pageLive(b))
		third.next()
		if m, _ := third.next(); m.name == "" {
			break
		}
	}
}

func TestStreamEndsFromOurSide(t *testing.T) {
	for reason, name := range map[oponn.EndReason]string{oponn.EndGone: "end", oponn.EndDraining: "busy", oponn.EndFault: "busy", oponn.EndClosed: "end"} {
		t.Run(string(reason), func(t *testing.T) {
			w := start(t, tuning{})
			b := w.ballot(teaOrCoffee())
			hands := w.byHand()
			page, api := w.listen(pageLive(b)), w.listen(apiLive(b))
			for range 2 {
				h := <-hands
				h.do(func(s oponn.Sink) { s.Offer(&oponn.Frame{Version: 1, Bytes: []byte("data: x\n\n")}); s.End(reason) })
				defer func() { <-h.done }()
			}
			page.await("")
			api.await("")
			if m := page.await(name); (m.retry != "") != (name == "busy") {
				t.Errorf("the end is %+v", m)
			}
			page.ends()
			if m := api.await("end"); decode[struct{ Reason string }](t, m).Reason != string(reason) || (m.retry != "") != (name == "busy") {
				t.Errorf("the end is %+v", m)
			}
			api.ends()
		})
	}
}

func TestStreamOutlivesTheDeadlinesOfRequests(t *testing.T) {
	w := start(t, tuning{
		http:   func(c *oponnhttp.Config) { c.ReadTimeout, c.Deadline = 100*time.Millisecond, 100*time.Millisecond },
		actors: func(c *actors.Config) { c.BeatEvery = 200 * time.Millisecond },
	})
	page := w.listen("/ballots/" + w.ballot(teaOrCoffee()).ID + "/live")
	for range 5 { // a second in all: ten times what a request may take
		page.await("beat")
	}
}
