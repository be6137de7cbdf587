package http_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
)

// rows reads a reply's CSV, without its first line.
func (r reply) rows(t *testing.T, columns ...string) [][]string {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Fatalf("a table as %q: %s", got, r.body)
	}
	if got := r.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="oponn-`) {
		t.Errorf("not a file to keep: %q", got)
	}
	text, marked := strings.CutPrefix(r.body, "\ufeff")
	if !marked || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Errorf("the file is not as spreadsheets and RFC 4180 want it: %q", r.body)
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 || !slices.Equal(all[0], columns) {
		t.Fatalf("%v in %q", err, r.body)
	}
	return all[1:]
}

var (
	resultColumns = []string{"option", "label", "votes", "percent", "written_in", "standing"}
	voteColumns   = []string{"vote", "option", "label", "from", "until"}
)

func TestExport_ByAPI(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(draft{"question": "Which?", "options": []string{"=1+1", "tea, or \"chai\"", "コーヒー"}, "allow_write_in": true,
		"choices": map[string]int{"min": 1, "max": 3}})
	path := "/api/v1/ballots/" + b.ID
	for range 12 {
		w.cast(b.ID, w.token(), oponn.NewVoteID(), `{"choices":["1","3"]}`).want(t, http.StatusCreated)
	}
	w.cast(b.ID, w.token(), oponn.NewVoteID(), `{"choices":["2"],"write_in":"@home"}`).want(t, http.StatusCreated)

	table := w.get(path+"/results.csv").want(t, http.StatusOK).rows(t, resultColumns...)
	if got := table[0]; !slices.Equal(got, []string{"1", "'=1+1", "12", "92.31", "false", "shown"}) {
		t.Errorf("the first option is %q", got)
	}
	if table[1][1] != `tea, or "chai"` || table[2][1] != "コーヒー" || table[3][1] != "'@home" || table[3][4] != "true" || len(table) != 4 {
		t.Errorf("the table is %q", table)
	}
	for _, name := range []string{"/votes.csv", "/votes.json"} {
		wantProblem(t, w.get(path+name), http.StatusForbidden, "owner_required")
		wantProblem(t, w.get(path+name, "Authorization", "Bearer "+w.token()), http.StatusForbidden, "owner_required")
	}
	votes := w.get(path+"/votes.csv", "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK).rows(t, voteColumns...)
	counts := map[string]int{}
	for _, row := range votes {
		counts[row[2]]++
		if !strings.HasSuffix(row[3], ":00:00Z") || row[3] >= row[4] {
			t.Errorf("a vote was cast from %s until %s", row[3], row[4])
		}
	}
	if len(votes) != 26 || counts["'=1+1"] != 12 || counts["コーヒー"] != 12 || counts["'@home"] != 1 || votes[25][0] != "13" {
		t.Errorf("the votes are %q", votes)
	}

	r := w.get(path+"/votes.json", "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK)
	all := document[struct {
		tally
		Cast []struct {
			Choices []string
			From    string
		}
	}](t, r)
	if all.Votes != 13 || len(all.Cast) != 13 || all.Options[0].Label != "=1+1" || len(all.Cast[0].Choices) != 2 || all.Cast[0].From == "" {
		t.Errorf("the votes are %s", r.body)
	}
}

func TestExport_SaysNoTimeOfFew(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	owner := []string{"Authorization", "Bearer " + b.OwnerKey}
	if rows := w.get("/api/v1/ballots/"+b.ID+"/votes.csv", owner...).want(t, http.StatusOK).rows(t, voteColumns...); len(rows) != 0 {
		t.Errorf("without votes there are %q", rows)
	}
	for range 9 {
		w.vote(b.ID, "1")
	}
	for _, row := range w.get("/api/v1/ballots/"+b.ID+"/votes.csv", owner...).want(t, http.StatusOK).rows(t, voteColumns...) {
		if row[3] != "" || row[4] != "" {
			t.Errorf("one of nine votes was cast at %q", row)
		}
	}
	if r := w.get("/api/v1/ballots/"+b.ID+"/votes.json", owner...); strings.Contains(r.body, "from") || !json.Valid([]byte(r.body)) {
		t.Errorf("the votes are %s", r.body)
	}
}

func TestExport_HonoursVisibility(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("visibility", "after_closing"))
	path := "/api/v1/ballots/" + b.ID + "/results.csv"
	wantProblem(t, w.get(path), http.StatusForbidden, "results_hidden")
	w.get(path, "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK).rows(t, resultColumns...)
	page := w.browser().open("/ballots/"+b.ID+"/results.csv").want(t, http.StatusForbidden).says(t, en("problem.results_hidden.title"))
	if page.header.Get("Content-Disposition") != "" {
		t.Error("the refusal is a file")
	}
	w.close(b)
	w.get(path).want(t, http.StatusOK)
}

// lookAtFiles asks for all that can be kept of a ballot.
func (s *scene) lookAtFiles(t *testing.T, by spectator, sees bool) {
	t.Helper()
	api, pages := "/api/v1/ballots/"+s.ballot.ID, "/ballots/"+s.ballot.ID
	var authorization []string
	if by.credentials != "" {
		authorization = []string{"Authorization", "Bearer " + by.credentials}
	}
	files := []reply{s.get(api+"/results.csv", authorization...), by.browser.open(pages + "/results.csv").reply}
	for _, r := range files {
		if sees {
			r.want(t, http.StatusOK).rows(t, resultColumns...)
		} else {
			wantSilence(t, "the file", r.want(t, http.StatusForbidden).body)
		}
	}
	for _, name := range []string{"/votes.csv", "/votes.json"} {
		for _, r := range []reply{s.get(api+name, authorization...), by.browser.open(pages + name).reply} {
			if by.who == "owner" {
				r.want(t, http.StatusOK)
			} else {
				wantSilence(t, "the votes", r.want(t, http.StatusForbidden).body)
			}
		}
	}
}

func TestExport_ByCookie(t *testing.T) {
	w := start(t, tuning{})
	owner, other := w.browser(), w.browser()
	path := owner.makeBallot()
	links := owner.open(path+"/manage").says(t, "results.csv", "votes.csv", "votes.json").links()
	for _, name := range []string{"/results.csv", "/votes.csv", "/votes.json"} {
		if !slices.Contains(links, path+name) {
			t.Errorf("no link to %s among %q", name, links)
		}
		owner.open(path+name).want(t, http.StatusOK)
	}
	other.open(path+"/results.csv").want(t, http.StatusOK)
	other.open(path+"/votes.csv").want(t, http.StatusForbidden).says(t, en("problem.owner_required.title"))
	other.open("/ballots/"+oponn.NewBallotID().String()+"/votes.csv").want(t, http.StatusNotFound)
	// The API takes no cookies.
	r := owner.open("/api/v1" + path + "/votes.csv")
	wantProblem(t, r.reply, http.StatusForbidden, "owner_required")
}

// tearing is a store whose log can't be read any more after so many pages.
type tearing struct {
	oponn.Store
	pages atomic.Int64
}

func (s *tearing) VotesByTag(ctx context.Context, ballot oponn.BallotID, after oponn.VoterTag, revision uint32) ([]oponn.LoggedVote, error) {
	if s.pages.Add(-1) < 0 {
		return nil, errors.New("the log is gone")
	}
	return s.Store.VotesByTag(ctx, ballot, after, revision)
}

func TestExport_ThatCannotBeFinishedIsNoWholeFile(t *testing.T) {
	var store tearing
	w := start(t, tuning{actors: func(cfg *actors.Config) { store.Store, cfg.Store = cfg.Store, &store }})
	b := w.ballot(teaOrCoffee())
	path, owner := "/api/v1/ballots/"+b.ID+"/votes.csv", "Bearer "+b.OwnerKey
	w.votes(b, 3)
	for _, pages := range []int64{0, 1, 3} { // 3: all of the first reading, half of the second
		store.pages.Store(pages)
		r := w.get(path, "Authorization", owner)
		wantProblem(t, r, http.StatusInternalServerError, "internal")
		if r.header.Get("Content-Disposition") != "" {
			t.Error("the problem is a file")
		}
	}
	w.votes(b, 2*oponn.VotesPage-10)
	store.pages.Store(5)
	response, err := http.DefaultTransport.RoundTrip(w.newRequest(http.MethodGet, path, "Authorization", owner))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err == nil || len(body) == 0 {
		t.Errorf("a file of %d bytes that looks whole", len(body))
	}
	store.pages.Store(6)
	if rows := w.get(path, "Authorization", owner).want(t, http.StatusOK).rows(t, voteColumns...); len(rows) != 2*oponn.VotesPage-7 {
		t.Errorf("the whole file has %d votes", len(rows))
	}
}

// votes has so many new voters vote at once, past the server.
func (w *world) votes(b created, n int) {
	w.t.Helper()
	id, err := oponn.ParseBallotID(b.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			cast := oponn.Cast{Ballot: id, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), Choices: []oponn.OptionID{"1"}}
			if _, err := w.system.Cast(context.Background(), cast); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
}

func (w *world) newRequest(method, path string, headers ...string) *http.Request {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header = head(headers...)
	return req
}

// links returns where a page's links lead.
func (p page) links() []string {
	var links []string
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" {
			links = append(links, attribute(n, "href"))
		}
	}
	return links
}
