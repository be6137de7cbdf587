package http_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// with returns the draft with more fields.
func (d draft) with(pairs ...any) draft {
	for i := 0; i+1 < len(pairs); i += 2 {
		d[pairs[i].(string)] = pairs[i+1]
	}
	return d
}

// patch changes a ballot as its owner.
func (w *world) patch(b created, path string, body any) reply {
	w.t.Helper()
	return w.send(http.MethodPatch, "/api/v1/ballots/"+b.ID+path, body, "Authorization", "Bearer "+b.OwnerKey)
}

// definition is a ballot as the API shows it.
type definition struct {
	Question string
	Options  []struct {
		ID, Label       string
		Hidden, Pending bool
	}
	Status     string
	OpensAt    *time.Time `json:"opens_at"`
	ClosesAt   *time.Time `json:"closes_at"`
	ClosedAt   *time.Time `json:"closed_at"`
	Choices    struct{ Min, Max int }
	Visibility string
	Protection string
	WriteIns   string `json:"write_ins"`

	AllowChange    bool `json:"allow_change"`
	ShuffleOptions bool `json:"shuffle_options"`
	RetentionDays  int  `json:"retention_days"`
	Revision       int
}

func TestRules_AreShownAsTheyWereGiven(t *testing.T) {
	w := start(t, tuning{})
	plain := document[definition](t, w.get("/api/v1/ballots/"+w.ballot(teaOrCoffee()).ID).want(t, http.StatusOK))
	if plain.Choices.Min != 1 || plain.Choices.Max != 1 || plain.Visibility != "always" || plain.Protection != "browser" ||
		plain.WriteIns != "open" || plain.AllowChange || plain.ShuffleOptions || plain.RetentionDays != 90 {
		t.Errorf("the defaults are %+v", plain)
	}
	b := w.ballot(teaOrCoffee().with("choices", map[string]int{"max": 2}, "visibility", "after_closing", "protection", "codes",
		"write_ins", "moderated", "allow_change", true, "shuffle_options", true, "retention_days", 7))
	d := document[definition](t, w.get("/api/v1/ballots/"+b.ID).want(t, http.StatusOK))
	if d.Choices.Min != 1 || d.Choices.Max != 2 || d.Visibility != "after_closing" || d.Protection != "codes" ||
		d.WriteIns != "moderated" || !d.AllowChange || !d.ShuffleOptions || d.RetentionDays != 7 {
		t.Errorf("shown as %+v", d)
	}
	for field, value := range map[string]any{"choices": map[string]int{"min": 0}, "visibility": "never", "protection": 1,
		"write_ins": "none", "retention_days": 0, "allow_change": "yes"} {
		p := wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee().with(field, value)), http.StatusUnprocessableEntity, "invalid")
		if p.errors()[field] == "" {
			t.Errorf("%s: %+v", field, p.Errors)
		}
	}
}

func TestOwner_MovesTheWindow(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	d := document[definition](t, w.patch(b, "", map[string]any{"closes_at": soon}).want(t, http.StatusOK))
	if d.ClosesAt == nil || !d.ClosesAt.Equal(soon) {
		t.Errorf("closes at %v", d.ClosesAt)
	}
	d = document[definition](t, w.patch(b, "", `{"closes_at":null}`).want(t, http.StatusOK))
	if d.ClosesAt != nil {
		t.Errorf("closes at %v", d.ClosesAt)
	}
	w.close(b)
	wantProblem(t, w.patch(b, "", map[string]any{"closes_at": soon}), http.StatusConflict, "closed")
	wantProblem(t, w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1")), http.StatusConflict, "closed")
	d = document[definition](t, w.patch(b, "", `{"status":"open"}`).want(t, http.StatusOK))
	if d.Status != "open" || d.ClosedAt != nil {
		t.Errorf("opened again: %+v", d)
	}
	w.vote(b.ID, "1")
	later := w.ballot(teaOrCoffee().with("opens_at", soon))
	wantProblem(t, w.cast(later.ID, w.token(), oponn.NewVoteID(), choose("1")), http.StatusConflict, "not_open")
	w.patch(later, "", `{"status":"open"}`).want(t, http.StatusOK)
	w.vote(later.ID, "1")
}

func TestOwner_EditsUntilTheFirstVote(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	live := w.listen(apiLive(b))
	live.await("tally")
	d := document[definition](t, w.patch(b, "", map[string]any{"question": "Hot?", "options": []string{"coffee", "cocoa", "tea"}}).want(t, http.StatusOK))
	var ids []string
	for _, o := range d.Options {
		ids = append(ids, o.ID)
	}
	if d.Question != "Hot?" || !slices.Equal(ids, []string{"2", "3", "1"}) {
		t.Errorf("edited to %+v", d)
	}
	if m := live.await("tally"); !strings.Contains(m.data, "cocoa") {
		t.Errorf("the stream says %s", m.data)
	}
	w.vote(b.ID, "3")
	p := wantProblem(t, w.patch(b, "", `{"question":"Cold?"}`), http.StatusUnprocessableEntity, "invalid")
	if p.errors()["question"] != "has_votes" {
		t.Errorf("errors %+v", p.Errors)
	}
	w.patch(b, "", `{"question":"Hot?"}`).want(t, http.StatusOK) // as it is
}

func TestOwner_HidesWriteIns(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("write_ins", "moderated"))
	w.cast(b.ID, w.token(), oponn.NewVoteID(), `{"write_in":"cocoa"}`).want(t, http.StatusCreated)
	if got := w.results(b.ID); len(got.Options) != 2 || got.Votes != 1 {
		t.Errorf("before approval: %+v", got)
	}
	all := document[definition](t, w.get("/api/v1/ballots/"+b.ID, "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK))
	if len(all.Options) != 3 || !all.Options[2].Pending {
		t.Fatalf("the owner sees %+v", all.Options)
	}
	path := "/options/" + all.Options[2].ID
	wantProblem(t, w.send(http.MethodPatch, "/api/v1/ballots/"+b.ID+path, `{"hidden":true}`), http.StatusForbidden, "owner_required")
	w.patch(b, path, `{"hidden":false}`).want(t, http.StatusOK)
	if got := w.results(b.ID); len(got.Options) != 3 || got.Options[2].Label != "cocoa" || got.Options[2].Votes != 1 {
		t.Errorf("approved: %+v", got)
	}
	w.patch(b, path, `{"hidden":true}`).want(t, http.StatusOK)
	r := w.get("/api/v1/ballots/" + b.ID + "/results")
	if strings.Contains(r.body, "cocoa") || !strings.Contains(r.body, `"hidden":true`) {
		t.Errorf("hidden: %s", r.body)
	}
	w.browser().open("/ballots/"+b.ID+"/results").hides(t, "cocoa").says(t, "hidden by the owner")
	w.browser().open("/ballots/"+b.ID).hides(t, "cocoa")
	wantProblem(t, w.patch(b, "/options/1", `{"hidden":true}`), http.StatusUnprocessableEntity, "invalid")
	wantProblem(t, w.patch(b, "/options/wAAAAAAAAAAA", `{"hidden":true}`), http.StatusNotFound, "not_found")
	wantProblem(t, w.patch(b, path, `{}`), http.StatusUnprocessableEntity, "invalid")
}

func TestApproval(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(draft{"question": "Which?", "options": []string{"a", "b", "c"}, "allow_write_in": true, "choices": map[string]int{"min": 1, "max": 3}})
	w.cast(b.ID, w.token(), oponn.NewVoteID(), `{"choices":["1","3"],"write_in":"d"}`).want(t, http.StatusCreated)
	w.vote(b.ID, "3")
	got := w.results(b.ID)
	if got.Votes != 2 || got.Options[0].Votes != 1 || got.Options[2].Votes != 2 || got.Options[3].Votes != 1 {
		t.Errorf("results %+v", got)
	}
	wantProblem(t, w.cast(b.ID, w.token(), oponn.NewVoteID(), `{"choices":["1","2","3"],"write_in":"e"}`), http.StatusUnprocessableEntity, "invalid")
	if page := w.browser().open("/ballots/" + b.ID + "/results"); !strings.Contains(page.text(), "100") {
		t.Errorf("no option has all voters: %s", page.text())
	}
}

// replacing is a receipt with what it replaces.
type replacing struct {
	receipt
	Replaces string
}

func TestChangingAVote(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("allow_change", true))
	token, first, second := w.token(), oponn.NewVoteID(), oponn.NewVoteID()
	one := w.cast(b.ID, token, first, choose("1")).want(t, http.StatusCreated)
	two := w.cast(b.ID, token, second, choose("2")).want(t, http.StatusOK)
	before, after := document[replacing](t, one), document[replacing](t, two)
	if before.Replaces != "" || after.Replaces != before.Receipt || after.Receipt == before.Receipt {
		t.Errorf("receipts %+v and %+v", before, after)
	}
	for vote, want := range map[oponn.VoteID]reply{first: one, second: two} {
		option := "1"
		if vote == second {
			option = "2"
		}
		if r := w.cast(b.ID, token, vote, choose(option)).want(t, http.StatusOK); r.body != want.body {
			t.Errorf("a repeat got %s, want %s", r.body, want.body)
		}
	}
	if got := w.results(b.ID); got.Votes != 1 || got.Options[0].Votes != 0 || got.Options[1].Votes != 1 || got.Version != 3 {
		t.Errorf("results %+v", got)
	}
	r := w.get("/api/v1/ballots/"+b.ID+"/receipts/"+before.Receipt).want(t, http.StatusOK)
	if r.body != `{"counted":false,"replaced":true}` {
		t.Errorf("the first receipt: %s", r.body)
	}
	r = w.get("/api/v1/ballots/"+b.ID+"/receipts/"+after.Receipt).want(t, http.StatusOK)
	hour := after.At.UTC().Truncate(time.Hour).Format(time.RFC3339)
	if r.body != `{"counted":true,"as_of":3,"hour":"`+hour+`"}` {
		t.Errorf("the second receipt: %s", r.body)
	}
	for _, nothing := range []string{"x", after.Receipt + "A", w.vote(w.ballot(teaOrCoffee()).ID, "1").Receipt} {
		wantProblem(t, w.get("/api/v1/ballots/"+b.ID+"/receipts/"+nothing), http.StatusNotFound, "not_found")
	}
}

func TestCodes(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("protection", "codes", "visibility", "after_voting"))
	path := "/api/v1/ballots/" + b.ID
	owner := []string{"Authorization", "Bearer " + b.OwnerKey}
	wantProblem(t, w.send(http.MethodPost, path+"/codes", `{"count":2}`), http.StatusForbidden, "owner_required")
	for _, count := range []string{`{}`, `{"count":0}`, `{"count":10001}`} {
		wantProblem(t, w.send(http.MethodPost, path+"/codes", count, owner...), http.StatusUnprocessableEntity, "invalid")
	}
	codes := document[struct{ Codes []string }](t, w.send(http.MethodPost, path+"/codes", `{"count":2}`, owner...).want(t, http.StatusCreated)).Codes
	vote := func(code string, id oponn.VoteID, option string) reply {
		return w.send(http.MethodPost, path+"/votes", map[string]any{"code": code, "choices": []string{option}}, "Idempotency-Key", id.String())
	}
	id := oponn.NewVoteID()
	first := vote(strings.ToLower(codes[0]), id, "1").want(t, http.StatusCreated)
	if again := vote(codes[0], id, "1").want(t, http.StatusOK); again.body != first.body {
		t.Errorf("a repeat got %s, want %s", again.body, first.body)
	}
	used := wantProblem(t, vote(codes[0], oponn.NewVoteID(), "1"), http.StatusForbidden, "code_refused")
	for _, wrong := range []string{string(oponn.NewVotingCode()), "nonsense", ""} {
		if p := wantProblem(t, vote(wrong, oponn.NewVoteID(), "1"), http.StatusForbidden, "code_refused"); p.Detail != used.Detail {
			t.Errorf("wrong is %q, used is %q", p.Detail, used.Detail)
		}
	}
	wantProblem(t, w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1")), http.StatusUnauthorized, "voter_required")
	wantProblem(t, w.get(path+"/results", "Authorization", "Bearer "+codes[1]), http.StatusForbidden, "results_hidden")
	w.get(path+"/results", "Authorization", "Bearer "+codes[0]).want(t, http.StatusOK)

	plain := w.ballot(teaOrCoffee())
	p := wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots/"+plain.ID+"/votes", map[string]any{"code": codes[1], "choices": []string{"1"}},
		"Idempotency-Key", id.String()), http.StatusUnprocessableEntity, "invalid")
	if p.errors()["code"] == "" {
		t.Errorf("errors %+v", p.Errors)
	}
	wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots/"+plain.ID+"/codes", `{"count":2}`, "Authorization", "Bearer "+plain.OwnerKey),
		http.StatusUnprocessableEntity, "invalid")
}

func TestDeletion(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	receipt := w.vote(b.ID, "1").Receipt
	path := "/api/v1/ballots/" + b.ID
	api, page := w.listen(apiLive(b)), w.listen(pageLive(b))
	api.await("tally")
	page.await("")
	wantProblem(t, w.send(http.MethodDelete, path, "", "Authorization", "Bearer x"), http.StatusForbidden, "owner_required")
	r := w.send(http.MethodDelete, path, "", "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusNoContent)
	if r.body != "" {
		t.Errorf("body %q", r.body)
	}
	if m := api.await("end"); !strings.Contains(m.data, "gone") {
		t.Errorf("the stream ends with %+v", m)
	}
	if m := page.await("end"); m.data != "gone" {
		t.Errorf("the page's stream ends with %+v", m)
	}
	api.ends()
	page.ends()
	owner := []string{"Authorization", "Bearer " + b.OwnerKey}
	for name, r := range map[string]reply{
		"definition": w.get(path), "results": w.get(path + "/results"), "live": w.get(path + "/live"), "receipt": w.get(path + "/receipts/" + receipt),
		"vote": w.cast(b.ID, w.token(), oponn.NewVoteID(), choose("1")), "change": w.patch(b, "", `{"status":"closed"}`),
		"codes": w.send(http.MethodPost, path+"/codes", `{"count":1}`, owner...), "option": w.patch(b, "/options/1", `{"hidden":true}`),
		"again": w.send(http.MethodDelete, path, "", owner...),
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, r, http.StatusGone, "gone") })
	}
	w.browser().open("/ballots/"+b.ID).want(t, http.StatusGone)
	w.browser().open("/ballots/"+b.ID+"/results").want(t, http.StatusGone)
}
