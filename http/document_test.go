package http_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/openapi"
)

func TestDocument_IsServed(t *testing.T) {
	w := start(t, tuning{})
	r := w.get("/api/v1/openapi.json").want(t, http.StatusOK)
	if r.body != openapi.JSON() || r.header.Get("Content-Type") != "application/json" || r.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v %.100s", r.header, r.body)
	}
	tag := r.header.Get("ETag")
	if again := w.get("/api/v1/openapi.json", "If-None-Match", `"x", W/`+tag).want(t, http.StatusNotModified); again.body != "" {
		t.Errorf("unchanged, but sent: %.100s", again.body)
	}
	w.get("/api/v1/openapi.json", "If-None-Match", `"x"`).want(t, http.StatusOK)
	page := w.browser().open("/docs").want(t, http.StatusOK).says(t, "Open a ballot", "already_voted")
	if !strings.Contains(page.body, "curl -s "+w.url+"/api/v1/ballots ") {
		t.Error("the page's commands don't lead here")
	}
}

// The examples tell one story, which is true: each is sent as it stands, and
// gets the answer that stands there, but for what chance and the clock decide.
func TestDocument_ExamplesRun(t *testing.T) {
	w := start(t, tuning{})
	document, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	s := story{world: w, happened: map[string]string{}}
	for _, section := range document.Sections {
		for _, o := range section.Operations {
			for _, e := range o.Examples {
				t.Run(o.ID+"/"+e.Name, func(t *testing.T) { s.run(t, e) })
			}
			if len(o.Examples) == 0 && o.ID != "getDocument" {
				t.Errorf("%s has no example", o.ID)
			}
		}
	}
}

// story is what has happened so far: what stands in the document for what the
// service made.
type story struct {
	*world
	happened map[string]string
}

// now puts what the service made into a part of a request.
func (s story) now(text string) string {
	for written, actual := range s.happened {
		text = strings.ReplaceAll(text, written, actual)
	}
	return text
}

func (s story) run(t *testing.T, e openapi.Example) {
	var headers []string
	for _, h := range e.Header {
		headers = append(headers, h.Name, s.now(h.Value))
	}
	if e.Stream {
		l := s.listen(s.now(e.Path), headers...)
		defer l.leave()
		for _, want := range events(e.Answer) {
			got, _ := l.next()
			if got.name != want.name || got.id != want.id || (got.retry != "") != (want.retry != "") {
				t.Errorf("the event is %+v, documented is %+v", got, want)
			}
			s.same(t, want.data, got.data)
		}
		return
	}
	if e.Body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	r := s.do(request{method: e.Method, path: s.now(e.Path), header: head(headers...), body: strings.NewReader(s.now(e.Body))}).want(t, e.Status)
	s.same(t, e.Answer, r.body)
}

// events reads the text of a stream.
func events(text string) (all []message) {
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var m message
		for line := range strings.SplitSeq(block, "\n") {
			switch name, value, _ := strings.Cut(line, ": "); name {
			case "event":
				m.name = value
			case "id":
				m.id = value
			case "retry":
				m.retry = value
			case "data":
				m.data = value
			}
		}
		all = append(all, m)
	}
	return all
}

// same compares an answer with the documented one.
func (s story) same(t *testing.T, written, actual string) {
	t.Helper()
	var want, got any
	if json.Unmarshal([]byte(written), &want) != nil {
		want, got = written, actual
	} else if err := json.Unmarshal([]byte(actual), &got); err != nil {
		t.Fatalf("%v in %q", err, actual)
	}
	if !s.agrees(want, got) {
		t.Errorf("the answer is\n%s, documented is\n%s", actual, written)
	}
}

// agrees compares two JSON values: all must be the same but for texts with
// digits, which stand for each other from now on.
func (s story) agrees(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok || len(want) != len(got) {
			return false
		}
		for name := range want {
			if inner, ok := got[name]; !ok || !s.agrees(want[name], inner) {
				return false
			}
		}
		return true
	case []any:
		got, ok := got.([]any)
		if !ok || len(want) != len(got) {
			return false
		}
		for i := range want {
			if !s.agrees(want[i], got[i]) {
				return false
			}
		}
		return true
	case string:
		got, ok := got.(string)
		if !ok || want == got {
			return ok
		}
		actual, known := s.happened[want]
		if !known && strings.ContainsAny(want, "0123456789") && !strings.Contains(want, " ") {
			s.happened[want] = got
			return true
		}
		return known && actual == got
	default:
		return want == got
	}
}

// The numbers in the document are those of the program.
func TestDocument_Limits(t *testing.T) {
	schemas := theContract(t).document.Components.Schemas
	draft, change, vote := schemas["Draft"].Value.Properties, schemas["Change"].Value.Properties, schemas["Vote"].Value.Properties
	count := func(path string) float64 {
		operation := theContract(t).document.Paths.Value(path).Post
		return *operation.RequestBody.Value.Content["application/json"].Schema.Value.Properties["count"].Value.Max
	}
	for name, limit := range map[string][2]uint64{
		"question":         {*draft["question"].Value.MaxLength, oponn.MaxQuestion},
		"question changed": {*change["question"].Value.MaxLength, oponn.MaxQuestion},
		"options":          {*draft["options"].Value.MaxItems, oponn.MaxOptions},
		"options changed":  {*change["options"].Value.MaxItems, oponn.MaxOptions},
		"fewest options":   {draft["options"].Value.MinItems, oponn.MinOptions},
		"label":            {*draft["options"].Value.Items.Value.MaxLength, oponn.MaxLabel},
		"label changed":    {*change["options"].Value.Items.Value.MaxLength, oponn.MaxLabel},
		"write-in":         {*vote["write_in"].Value.MaxLength, oponn.MaxLabel},
		"choices":          {*vote["choices"].Value.MaxItems, oponn.MaxOptions + oponn.MaxWriteIns},
		"most choices":     {uint64(*draft["choices"].Value.Properties["max"].Value.Max), oponn.MaxOptions},
		"retention":        {uint64(*draft["retention_days"].Value.Max), oponn.MaxRetention},
		"codes":            {uint64(count("/api/v1/ballots/{id}/codes")), oponn.MaxNewCodes},
	} {
		if limit[0] != limit[1] {
			t.Errorf("%s: documented is %d, the limit is %d", name, limit[0], limit[1])
		}
	}
	w := start(t, tuning{})
	most := uint64(count("/api/v1/voters"))
	w.send(http.MethodPost, "/api/v1/voters", map[string]uint64{"count": most}).want(t, http.StatusCreated)
	w.send(http.MethodPost, "/api/v1/voters", map[string]uint64{"count": most + 1}).want(t, http.StatusUnprocessableEntity)
}

// A body may be as large as the document says, and no larger.
func TestDocument_BodyLimits(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	api, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range api.Sections {
		for _, o := range section.Operations {
			if o.MaxBytes == 0 {
				continue
			}
			path := strings.NewReplacer("{id}", b.ID, "{option}", "1").Replace(o.Path)
			credentials := b.OwnerKey
			if o.ID == "castVote" {
				credentials = w.token()
			}
			for over, code := range map[int64]string{0: "malformed", 1: "too_large"} {
				r := w.send(o.Method, path, strings.Repeat(" ", int(o.MaxBytes+over)), "Authorization", "Bearer "+credentials)
				if p := document[problem](t, r); p.Code != code {
					t.Errorf("%s: %d bytes over the limit is %d %s", o.ID, over, r.status, p.Code)
				}
			}
		}
	}
}

// Pages of other sites may read, with credentials that they were given, and
// can't write.
func TestCrossOrigin(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	ballot := "/api/v1/ballots/" + b.ID
	preflight := func(path, method, headers string) reply {
		return w.do(request{method: http.MethodOptions, path: path, header: head("Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site",
			"Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)})
	}
	for _, path := range []string{ballot, ballot + "/results", ballot + "/live", "/api/v1/openapi.json", "/api/v1/ballots"} {
		r := preflight(path, http.MethodGet, "authorization").want(t, http.StatusNoContent)
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD",
			"Access-Control-Allow-Headers": "Authorization, If-None-Match, Last-Event-ID", "Access-Control-Allow-Credentials": ""} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
	}
	r := w.get(ballot+"/results", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK)
	if r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("head %v", r.header)
	}
	for _, path := range []string{"/", "/ballots/" + b.ID, "/docs"} {
		if r := preflight(path, http.MethodGet, ""); r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read from elsewhere", path)
		}
	}
	r = w.send(http.MethodPatch, ballot, `{"status":"closed"}`, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer "+b.OwnerKey)
	wantProblem(t, r, http.StatusForbidden, "cross_site")
	if r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a page of another site may read the answer to a write")
	}
}
