package http_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// cookies returns what the browser sends.
func (b *browser) cookies() string {
	b.t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	var pairs []string
	for _, c := range b.client.Jar.Cookies(base) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// ownerID returns the id in the browser's owner cookie.
func (b *browser) ownerID() oponn.OwnerID {
	b.t.Helper()
	b.open("/new")
	for pair := range strings.SplitSeq(b.cookies(), "; ") {
		if name, value, _ := strings.Cut(pair, "="); strings.Contains(name, "owner") {
			signed, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil || len(signed) < 16 {
				b.t.Fatalf("the cookie is %q: %v", value, err)
			}
			return oponn.OwnerID(signed[:16])
		}
	}
	b.t.Fatal("no owner's cookie")
	return oponn.OwnerID{}
}

// scene is a ballot of thirteen votes, eight and five, with those who look.
type scene struct {
	*world
	ballot                 created
	fresh, voted, owner    *browser
	freshToken, votedToken string
}

func stage(w *world, visibility oponn.Visibility) *scene {
	s := &scene{world: w, fresh: w.browser(), voted: w.browser(), owner: w.browser(), freshToken: w.token(), votedToken: w.token()}
	made, err := w.system.Create(w.t.Context(), oponn.Draft{Question: "Tea or coffee?", Options: []string{"tea", "coffee"},
		Rules: oponn.Rules{Visibility: visibility}}, s.owner.ownerID())
	if err != nil {
		w.t.Fatal(err)
	}
	s.ballot = created{ID: made.Snapshot.Ballot.ID.String(), OwnerKey: made.OwnerKey}
	w.cast(s.ballot.ID, s.votedToken, oponn.NewVoteID(), choose("1")).want(w.t, http.StatusCreated)
	form := s.voted.open("/ballots/"+s.ballot.ID).want(w.t, http.StatusOK)
	s.voted.submit("/ballots/"+s.ballot.ID+"/votes", fields("choice", "2", "vote_id", form.value("vote_id"))).want(w.t, http.StatusOK)
	for n := range 11 {
		w.vote(s.ballot.ID, map[bool]string{true: "1", false: "2"}[n < 7])
	}
	return s
}

// spectator is somebody who looks, by a browser or with credentials.
type spectator struct {
	who         string
	browser     *browser
	credentials string
}

func (s *scene) spectators() []spectator {
	return []spectator{{"nobody", s.fresh, ""}, {"nobody", s.fresh, s.freshToken}, {"nobody", s.fresh, "nonsense"},
		{"voted", s.voted, s.votedToken}, {"owner", s.owner, s.ballot.OwnerKey}}
}

// leaks are what tells the result, or how many have voted.
var leaks = []string{"13 votes", "<small>8</small>", "<small>5</small>", "61.5", "62%", "after=14", `"votes":`, `"version":`, "id: 14"}

func wantSilence(t *testing.T, what, text string) {
	t.Helper()
	for _, leak := range leaks {
		if strings.Contains(text, leak) {
			t.Errorf("%s tells %q: %s", what, leak, text)
		}
	}
}

// look walks every path that could show a result.
func (s *scene) look(t *testing.T, by spectator, sees bool) {
	t.Helper()
	api, pages := "/api/v1/ballots/"+s.ballot.ID, "/ballots/"+s.ballot.ID
	authorization := []string{"Authorization", "Bearer " + by.credentials}
	if by.credentials == "" {
		authorization = nil
	}
	for _, extra := range [][]string{nil, {"If-None-Match", "*"}, {"If-None-Match", `"14"`}} {
		r := s.get(api+"/results", append(extra, authorization...)...)
		switch {
		case !sees:
			p := wantProblem(t, r, http.StatusForbidden, "results_hidden")
			wantSilence(t, "the result", p.Detail+r.header.Get("ETag"))
		case extra == nil && document[tally](t, r.want(t, http.StatusOK)).Votes != 13:
			t.Errorf("the result is %s", r.body)
		}
	}
	wantSilence(t, "the definition", s.get(api, authorization...).want(t, http.StatusOK).body)
	s.lookAtFiles(t, by, sees)
	result, votePage := by.browser.open(pages+"/results").want(t, http.StatusOK), by.browser.open(pages).want(t, http.StatusOK)
	if sees {
		result.says(t, "13 votes")
	} else {
		wantSilence(t, "the result page", result.body)
		wantSilence(t, "the vote page", votePage.body)
	}
	if by.who != "owner" {
		wantSilence(t, "the front page", by.browser.open("/").body)
	}
	program, viewer := s.listen(api+"/live", authorization...), s.listen(pages+"/live", "Cookie", by.browser.cookies())
	defer program.leave()
	defer viewer.leave()
	if sees {
		if m := program.await("tally"); decode[tally](t, m).Votes != 13 {
			t.Errorf("the stream shows %s", m.data)
		}
		if m := viewer.await(""); fragmentVotes(t, m) != "8 5" {
			t.Errorf("the page's stream shows %s", m.data)
		}
		return
	}
	m, f := program.await("status"), viewer.await("")
	wantSilence(t, "the stream", m.data+"id: "+m.id)
	wantSilence(t, "the page's stream", f.data+"id: "+f.id)
	if m.id != "" || f.id != "" {
		t.Errorf("hidden streams tell the versions %q and %q", m.id, f.id)
	}
}

func TestVisibility_OnEveryPath(t *testing.T) {
	for visibility, seen := range map[oponn.Visibility]map[string]string{
		oponn.VisibleAlways:       {"open": "nobody voted owner", "closed": "nobody voted owner"},
		oponn.VisibleAfterVoting:  {"open": "voted owner", "closed": "voted owner"},
		oponn.VisibleAfterClosing: {"open": "owner", "closed": "nobody voted owner"},
		oponn.VisibleToOwner:      {"open": "owner", "closed": "owner"},
	} {
		t.Run(visibility.String(), func(t *testing.T) {
			w := start(t, tuning{})
			s := stage(w, visibility)
			for _, by := range s.spectators() {
				t.Run("open for "+by.who, func(t *testing.T) { s.look(t, by, strings.Contains(seen["open"], by.who)) })
			}
			w.close(s.ballot)
			for _, by := range s.spectators() {
				t.Run("closed for "+by.who, func(t *testing.T) { s.look(t, by, strings.Contains(seen["closed"], by.who)) })
			}
		})
	}
}

func TestHiddenStreams_TellOfTheStatusAlone(t *testing.T) {
	for _, visibility := range []string{"after_voting", "after_closing", "owner"} {
		t.Run(visibility, func(t *testing.T) {
			w := start(t, tuning{})
			b := w.ballot(teaOrCoffee().with("visibility", visibility))
			program, viewer := w.listen(apiLive(b)), w.listen(pageLive(b))
			program.await("status")
			viewer.await("")
			owner := w.listen(apiLive(b), "Authorization", "Bearer "+b.OwnerKey)
			for n := range uint64(3) {
				owner.await("tally")
				if w.vote(b.ID, "1"); decode[tally](t, owner.await("tally")).Votes != n+1 {
					t.Error("the owner doesn't see the vote")
				}
				w.patch(b, "", `{"question":"Tea or coffee?"}`).want(t, http.StatusOK) // changes nothing
				owner.leave()
				owner = w.listen(apiLive(b), "Authorization", "Bearer "+b.OwnerKey)
			}
			w.close(b)
			m := program.await("status")
			if !strings.Contains(m.data, `"status":"closed"`) {
				t.Errorf("after the first status came %+v: a vote was told", m)
			}
			f := viewer.await("")
			if !strings.Contains(f.data, "state-closed") {
				t.Errorf("after the first fragment came %+v: a vote was told", f)
			}
			if visibility == "after_closing" {
				if got := decode[tally](t, program.await("tally")); got.Votes != 3 || fragmentVotes(t, f) != "3 0" {
					t.Errorf("the final result is %+v and %s", got, f.data)
				}
			}
			program.await("end")
			program.ends()
			viewer.await("end")
			viewer.ends()
		})
	}
}
