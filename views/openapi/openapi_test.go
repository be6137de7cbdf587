package openapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/oponn/oponn/views/openapi"
)

func operation(t *testing.T, id string) openapi.Operation {
	t.Helper()
	document, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range document.Sections {
		for _, o := range s.Operations {
			if o.ID == id {
				return o
			}
		}
	}
	t.Fatalf("there is no operation %s", id)
	return openapi.Operation{}
}

func TestRead(t *testing.T) {
	document, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	if document.Title != "Oponn" || len(document.Description) < 2 || document.Sections[0].Name != "Ballots" {
		t.Errorf("%+v", document)
	}
	o := operation(t, "createBallot")
	if o.Method != http.MethodPost || o.Path != "/api/v1/ballots" || !o.Open || o.MaxBytes != 256<<10 {
		t.Errorf("%+v", o)
	}
	kinds := map[string]openapi.Field{}
	for _, f := range o.Body {
		kinds[f.Name] = f
	}
	for name, kind := range map[string]string{
		"question":       "string, 1 to 500 characters",
		"options":        "array, 2 to 50 items, each string, 1 to 200 characters",
		"closes_at":      "date-time, or null, default null",
		"choices.max":    "integer, 1 to 50, or null, default 1",
		"visibility":     `always | after_voting | after_closing | owner, default "always"`,
		"allow_write_in": "boolean, default false",
	} {
		if f := kinds[name]; f.Kind != kind || f.Required != (name == "question" || name == "options") {
			t.Errorf("%s is %+v", name, f)
		}
	}
	owner := operation(t, "changeBallot")
	if owner.Open || len(owner.Access) != 1 || owner.Parameters[0].Name != "id" || owner.Parameters[0].In != "path" {
		t.Errorf("%+v", owner)
	}
	i := slices.IndexFunc(owner.Answers, func(a openapi.Answer) bool { return a.Status == 403 })
	if i < 0 || !owner.Answers[i].Failed() || !slices.Equal(owner.Answers[i].Codes, []string{"owner_required", "cross_site"}) {
		t.Errorf("%+v", owner.Answers)
	}
	live := operation(t, "watchResults").Answers[0]
	if len(live.Events) != 4 || live.Events[0].Name != "tally" || live.Events[0].Fields[4].Name != "options" || live.Events[0].Fields[5].Name != "options[].id" {
		t.Errorf("%+v", live.Events)
	}
}

func TestExamples(t *testing.T) {
	votes := operation(t, "castVote").Examples
	names := []string{}
	for _, e := range votes {
		names = append(names, e.Name)
	}
	if want := []string{"choice", "repeat", "write_in", "code", "already_voted", "code_refused"}; !slices.Equal(names, want) {
		t.Errorf("the examples are %v", names)
	}
	for i, want := range map[int]string{
		0: `curl -s https://vote.example/api/v1/ballots/Qm3sfzJ1WyvZVxP29jInXA/votes \
  -H 'Authorization: Bearer FQbKx0u2n7Jm4T1cYpW9sA0lZr8dHe6vGi3oBf5kNq' \
  -H 'Idempotency-Key: 0b0e2b0c-8a4c-4b57-9a53-6d3f6f3f1d01' \
  -H 'Content-Type: application/json' \
  -d '{"choices": ["1"]}'`,
		3: `curl -s https://vote.example/api/v1/ballots/IuxCCBCrT4m18sxwmtIFpQ/votes \
  -H 'Idempotency-Key: 9d1d8c1a-6a3e-4f0b-b1b5-3b0e9c6f7e03' \
  -H 'Content-Type: application/json' \
  -d '{"code": "7Q2K9-M4XR1-B8DT", "choices": ["1", "3"]}'`,
	} {
		if got := votes[i].Curl("https://vote.example"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	gone := operation(t, "deleteBallot").Examples[0]
	if got := gone.Curl(""); !strings.HasPrefix(got, "curl -si -X DELETE /api/v1/ballots/") || gone.Status != 204 {
		t.Errorf("got %s", got)
	}
	if got := operation(t, "watchResults").Examples[0]; !got.Stream || !strings.HasPrefix(got.Curl(""), "curl -sN /api") {
		t.Errorf("got %+v", got)
	}
	quoted := openapi.Example{Method: "PUT", Body: `{"a": "it's"}`, Answer: "{}"}
	if got, want := quoted.Curl("x"), "curl -s -X PUT x \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"a\": \"it'\\''s\"}'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An answer is laid out, and says the same.
func TestAnswers(t *testing.T) {
	created := operation(t, "createBallot").Examples[0]
	want := `{
  "id": "Qm3sfzJ1WyvZVxP29jInXA",
  "owner_key": "d5UpwXHlHd3o8s9MhFRH7kmWHxhFu2sqxbbKiz5fxBY",
  "url": "https://vote.example/ballots/Qm3sfzJ1WyvZVxP29jInXA",
  "options": [
    {"id": "1", "label": "tea"},
    {"id": "2", "label": "coffee"}
  ]
}`
	if created.Answer != want {
		t.Errorf("got\n%s", created.Answer)
	}
	var value any
	if err := json.Unmarshal([]byte(created.Answer), &value); err != nil {
		t.Error(err)
	}
}
