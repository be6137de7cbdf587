package http_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// ballotOf is the id in a ballot's path.
func ballotOf(path string) string { return strings.TrimPrefix(path, "/ballots/") }

// TestVoteByForm_SentAgainWithAnotherChoice goes back and chooses another
// option: where votes can be changed the page asks, elsewhere the first stands.
func TestVoteByForm_SentAgainWithAnotherChoice(t *testing.T) {
	w := start(t, tuning{})
	voter := w.browser()
	path := w.browser().makeBallot("allow_change", "on")
	vote := voter.open(path).value("vote_id")
	first := voter.submit(path+"/votes", fields("vote_id", vote, "choice", "1")).want(t, http.StatusOK)
	asked := voter.submit(path+"/votes", fields("vote_id", vote, "choice", "2")).want(t, http.StatusConflict).
		says(t, "the vote with the receipt "+receiptOf(first)[:4], "cast_vote").hides(t, en("problem.vote_id_reused.title"), en("result.first_stands"))
	if fresh := asked.value("vote_id"); fresh == vote || asked.value("choice") != "2" {
		t.Fatalf("asked with the vote id %q and choice %q", fresh, asked.value("choice"))
	}
	voter.submit(path+"/votes", fields("vote_id", asked.value("vote_id"), "choice", "2")).want(t, http.StatusOK).
		says(t, en("receipt.changed"), receiptOf(first))
	if r := w.results(ballotOf(path)); r.Votes != 1 || r.Options[1].Votes != 1 {
		t.Errorf("results %+v", r)
	}

	fixed := w.browser().makeBallot()
	vote = voter.open(fixed).value("vote_id")
	voter.submit(fixed+"/votes", fields("vote_id", vote, "choice", "1")).want(t, http.StatusOK)
	voter.submit(fixed+"/votes", fields("vote_id", vote, "choice", "2")).want(t, http.StatusOK).says(t, en("result.first_stands"))
}

func TestVoteByForm_ChangedAsOftenAsOneMay(t *testing.T) {
	w := start(t, tuning{})
	voter := w.browser()
	path := w.browser().makeBallot("allow_change", "on")
	voter.open(path)
	cast := func(option string) page {
		return voter.submit(path+"/votes", fields("vote_id", oponn.NewVoteID().String(), "choice", option)).want(t, http.StatusOK)
	}
	for i := range oponn.MaxChanges + 1 {
		cast([]string{"1", "2"}[i%2]).hides(t, en("result.last_stands", "20"))
	}
	cast("2").says(t, en("result.last_stands", "20")).hides(t, en("result.already"))
	if r := w.results(ballotOf(path)); r.Votes != 1 || r.Options[0].Votes != 1 {
		t.Errorf("results %+v", r)
	}
}

func TestVoteByForm_ChangedTooLate(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("allow_change", true))
	path, voter := "/ballots/"+b.ID, w.browser()
	voter.submit(path+"/votes", fields("vote_id", voter.open(path).value("vote_id"), "choice", "1")).want(t, http.StatusOK)
	change := voter.open(path+"?change=1").want(t, http.StatusOK)
	w.close(b)
	voter.submit(path+"/votes", fields("vote_id", change.value("vote_id"), "choice", "2")).want(t, http.StatusOK).
		says(t, en("result.too_late"), en("receipt.counted"))
	late := w.browser()
	late.open(path)
	late.submit(path+"/votes", fields("vote_id", oponn.NewVoteID().String(), "choice", "2")).want(t, http.StatusConflict).says(t, en("problem.closed.text"))
}

// TestVoteByForm_WithAnOldQuestion sends a form whose ballot was edited since.
func TestVoteByForm_WithAnOldQuestion(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(draft{"question": "Is tea good?", "options": []string{"yes", "no"}, "allow_write_in": true})
	path, voter, other := "/ballots/"+b.ID, w.browser(), w.browser()
	old, others := voter.open(path), other.open(path)
	w.patch(b, "", `{"question":"Is tea bad?","options":["yes","maybe"]}`).want(t, http.StatusOK)
	again := voter.submit(path+"/votes", fields("vote_id", old.value("vote_id"), "revision", old.value("revision"), "choice", "1", "write_in", "")).
		want(t, http.StatusUnprocessableEntity).says(t, en("error.revision.stale"), "Is tea bad?", "maybe")
	if again.value("choice") != "1" || again.value("vote_id") != old.value("vote_id") || again.value("revision") == old.value("revision") {
		t.Fatalf("shown again: choice %q, vote id %q, revision %q", again.value("choice"), again.value("vote_id"), again.value("revision"))
	}
	gone := other.submit(path+"/votes", fields("vote_id", others.value("vote_id"), "revision", others.value("revision"), "choice", "2")).
		want(t, http.StatusUnprocessableEntity).says(t, en("error.revision.stale"))
	if checked := gone.checked("choice"); len(checked) != 0 {
		t.Errorf("%q is chosen, which is another option now", checked)
	}
	if r := w.results(b.ID); r.Votes != 0 {
		t.Fatalf("results %+v", r)
	}
	voter.submit(path+"/votes", fields("vote_id", again.value("vote_id"), "revision", again.value("revision"), "choice", "1")).
		want(t, http.StatusOK).says(t, en("receipt.counted"))
}

// TestVoteByAPI_NamesTheRevision votes on a question that was edited since.
func TestVoteByAPI_NamesTheRevision(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	read := func() int {
		return document[definition](t, w.get("/api/v1/ballots/"+b.ID).want(t, http.StatusOK)).Revision
	}
	old, token := read(), w.token()
	w.patch(b, "", `{"question":"Tea, or what?"}`).want(t, http.StatusOK)
	cast := func(revision any) reply {
		return w.cast(b.ID, token, oponn.NewVoteID(), map[string]any{"choices": []string{"1"}, "revision": revision})
	}
	if p := wantProblem(t, cast(old), http.StatusUnprocessableEntity, "invalid"); p.errors()["revision"] != "stale" {
		t.Errorf("errors %v", p.errors())
	}
	for _, nonsense := range []any{"1", -1, 1.5} {
		wantProblem(t, cast(nonsense), http.StatusUnprocessableEntity, "invalid")
	}
	cast(read()).want(t, http.StatusCreated)
}

// TestVoteByForm_WriteInWithoutItsBox writes in an option as a browser without
// scripts lets one: the box beside the field was not ticked.
func TestVoteByForm_WriteInWithoutItsBox(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("write_ins", "open", "kind", "approval")
	voter := w.browser()
	voter.submit(path+"/votes", fields("vote_id", voter.open(path).value("vote_id"), "choice", "1", "write_in", " mate ")).want(t, http.StatusOK)
	blank := w.browser()
	blank.submit(path+"/votes", fields("vote_id", blank.open(path).value("vote_id"), "choice", "1", "write_in", " ")).want(t, http.StatusOK)
	if r := w.results(ballotOf(path)); r.Votes != 2 || len(r.Options) != 3 || r.Options[0].Votes != 2 || r.Options[2].Votes != 1 || r.Options[2].Label != "mate" {
		t.Errorf("results %+v", r)
	}
	one := w.browser().makeBallot("write_ins", "open")
	form := voter.open(one)
	both := voter.submit(one+"/votes", fields("vote_id", form.value("vote_id"), "choice", "1", "write_in", "mate")).
		want(t, http.StatusUnprocessableEntity).says(t, en("error.choice.too_many"))
	if both.value("choice") != "1" || both.value("write_in") != "mate" {
		t.Errorf("kept are %q and %q", both.value("choice"), both.value("write_in"))
	}
	voter.submit(one+"/votes", fields("vote_id", form.value("vote_id"), "write_in", "mate")).want(t, http.StatusOK)
}

// awaitData waits for an event of the name whose data say something.
func awaitData(l *listener, name, part string) {
	l.t.Helper()
	for !strings.Contains(l.await(name).data, part) {
		continue
	}
}

// TestStreamsOutlastClosing asks for streams that end with the ballot alone.
func TestStreamsOutlastClosing(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	program, viewer, status := w.listen(apiLive(b)+"?until=gone"), w.listen(pageLive(b)+"?until=gone"), w.listen(pageLive(b)+"?until=gone&only=status")
	program.await("tally")
	viewer.await("")
	first := status.await("")
	if first.id != "" || !strings.Contains(first.data, "state-open") || strings.Contains(first.data, "vote") {
		t.Errorf("the status begins with %+v", first)
	}
	w.vote(b.ID, "1")
	w.close(b)
	awaitData(program, "tally", `"status":"closed"`)
	awaitData(viewer, "", "state-closed")
	if m := status.await(""); !strings.Contains(m.data, "state-closed") {
		t.Errorf("after the first status came %+v: a vote was told", m)
	}
	late := w.listen(apiLive(b) + "?until=gone")
	if m := late.await("tally"); decode[tally](t, m).Status != "closed" {
		t.Errorf("late comes %+v", m)
	}
	w.patch(b, "", `{"status":"open"}`).want(t, http.StatusOK)
	for _, l := range []*listener{program, late} {
		if m := l.await("tally"); decode[tally](t, m).Status != "open" {
			t.Errorf("after the reopening came %+v", m)
		}
	}
	for _, l := range []*listener{viewer, status} {
		if m := l.await(""); !strings.Contains(m.data, "state-open") {
			t.Errorf("after the reopening came %+v", m)
		}
	}
	w.vote(b.ID, "2")
	if m := program.await("tally"); decode[tally](t, m).Votes != 2 {
		t.Errorf("after another vote came %+v", m)
	}
	w.do(request{method: http.MethodDelete, path: "/api/v1/ballots/" + b.ID, header: head("Authorization", "Bearer "+b.OwnerKey)}).want(t, http.StatusNoContent)
	for _, l := range []*listener{program, late, viewer, status} {
		l.await("end")
		l.ends()
	}
}
