package http_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
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

// scene is a ballot with votes, and those who look at it. Its numbers are found
// nowhere else on a page.
type scene struct {
	*world
	ballot                 created
	receipt                string // of the first vote
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
	id := made.Snapshot.Ballot.ID
	s.ballot = created{ID: id.String(), OwnerKey: made.OwnerKey}
	s.receipt = document[receipt](w.t, w.cast(s.ballot.ID, s.votedToken, oponn.NewVoteID(), choose("1")).want(w.t, http.StatusCreated)).Receipt
	form := s.voted.open("/ballots/"+s.ballot.ID).want(w.t, http.StatusOK)
	s.voted.submit("/ballots/"+s.ballot.ID+"/votes", fields("choice", "2", "vote_id", form.value("vote_id"))).want(w.t, http.StatusOK)
	for n := range 346 { // one after the other: each is a version
		option := oponn.OptionID(map[bool]string{true: "1", false: "2"}[n < 136])
		if _, err := w.system.Cast(w.t.Context(), oponn.Cast{Ballot: id, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), Choices: []oponn.OptionID{option}}); err != nil {
			w.t.Fatal(err)
		}
	}
	return s
}

// leaks are the counts of the scene, the turnout, the percentages, and the
// versions that tell how many have voted, open and closed.
var leaks = regexp.MustCompile(`(?:^|[^0-9A-Za-z_-])(?:137|211|348|349|350|39\.4|60\.6|39%|61%)(?:[^0-9A-Za-z_-]|$)`)

// echoed is what a page says back of its own address, which is no secret to
// whoever asked for it.
var echoed = regexp.MustCompile(`name="back" value="[^"]*"`)

func wantSilence(t *testing.T, what, text string) {
	t.Helper()
	text = echoed.ReplaceAllString(text, "")
	if leak := leaks.FindString(text); leak != "" {
		t.Errorf("%s tells %q: %s", what, leak, text)
	}
}

// spectator is somebody who looks, by a browser and with credentials.
type spectator struct {
	who         string
	browser     *browser
	credentials string
}

func (s *scene) spectators() []spectator {
	return []spectator{{"nobody", s.fresh, ""}, {"nobody", s.fresh, s.freshToken}, {"nobody", s.fresh, "nonsense"},
		{"voted", s.voted, s.votedToken}, {"owner", s.owner, s.ballot.OwnerKey}}
}

// showing are the routes that show the counts to those who may see them.
var showing = []string{"/ballots/:id/results", "/ballots/:id/present", "/ballots/:id/bars.svg", "/ballots/:id/live", "/api/v1/ballots/:id/results", "/api/v1/ballots/:id/live"}

// acting are the routes that do something. They answer the one who does it:
// with a redirect, with a receipt, or as the owner.
var acting = []string{
	"POST /ballots", "POST /ballots/:id/votes", "POST /ballots/:id/manage", "POST /ballots/:id/codes", "POST /ballots/:id/report", "POST /language",
	"POST /api/v1/ballots", "POST /api/v1/ballots/:id/votes", "POST /api/v1/voters", "POST /api/v1/ballots/:id/codes",
	"PATCH /api/v1/ballots/:id", "PATCH /api/v1/ballots/:id/options/:option", "DELETE /api/v1/ballots/:id",
}

// path fills in a route.
func (s *scene) path(t *testing.T, route string) string {
	t.Helper()
	path := strings.NewReplacer(":id", s.ballot.ID, ":receipt", s.receipt, ":option", "1", ":code", string(oponn.NewVotingCode())).Replace(route)
	if strings.Contains(path, ":") {
		t.Fatalf("the walk doesn't know what to put into %s", route)
	}
	return path
}

// walk looks at every route there is, as somebody who may see the result, or
// may not. A route that is new is walked like the others; one that does
// something has to be named in acting.
func (s *scene) walk(t *testing.T, by spectator, sees bool) {
	t.Helper()
	for _, route := range s.server.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		switch {
		case method != http.MethodGet && method != http.MethodHead:
			if !slices.Contains(acting, route) {
				t.Errorf("%s is new: does its answer tell a result? Name it in acting, or walk it", route)
			}
		case strings.HasSuffix(pattern, "*"): // assets, the same for every ballot
		case pattern == "/" && by.who == "owner": // lists the owner's ballots
		default:
			s.look(t, method, pattern, by, sees)
		}
	}
	s.lookAtFiles(t, by, sees)
}

func (s *scene) look(t *testing.T, method, pattern string, by spectator, sees bool) {
	t.Helper()
	headers := []string{"Cookie", by.browser.cookies()}
	if by.credentials != "" {
		headers = append(headers, "Authorization", "Bearer "+by.credentials)
	}
	shows := sees && method == http.MethodGet && slices.Contains(showing, pattern)
	for _, query := range []string{"", "?only=status", "?after=349", "?change=1", "?created=1&notice=already_voted", "?results=shown", "?as=projector", "?as=anybody"} {
		for _, known := range []string{"", "*", `"349"`, `"350"`} {
			if known != "" && query != "" || shows && strings.HasSuffix(pattern, "/live") && query == "?after=349" { // to whom nothing is news
				continue
			}
			what := method + " " + pattern + query + " for one who knows " + known
			status, said := s.read(method, s.path(t, pattern)+query, append(slices.Clone(headers), "If-None-Match", known)...)
			switch {
			case !sees && status == http.StatusNotModified && strings.Contains(pattern, ":id"):
				t.Errorf("%s confirms it", what)
			case !sees:
				wantSilence(t, what, said)
			case shows && query == "" && known == "" && (!strings.Contains(said, "137") || !strings.Contains(said, "211")):
				t.Errorf("%s shows no result: %s", what, said)
			}
		}
	}
}

// read returns an answer with the part of its head that could tell something;
// of a stream the first event that says how the ballot stands.
func (s *scene) read(method, path string, headers ...string) (status int, said string) {
	s.t.Helper()
	route, _, _ := strings.Cut(path, "?")
	if method != http.MethodGet || !strings.HasSuffix(route, "/live") {
		r := s.do(request{method: method, path: path, header: head(headers...)})
		if r.header.Get("Content-Type") == "image/png" {
			r.body = "" // TestPreview looks at these
		}
		return r.status, r.body + " " + r.header.Get("ETag") + " " + r.header.Get("Content-Disposition")
	}
	stream := s.listen(path, headers...)
	defer stream.leave()
	for {
		m, ok := stream.next()
		if !ok {
			return http.StatusOK, ""
		}
		if m.name != "beat" {
			return http.StatusOK, m.data + " id: " + m.id
		}
	}
}

// TestVisibility_OnEveryPath has everybody walk every path, for every setting,
// before and after closing.
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
				t.Run("open for "+by.who, func(t *testing.T) { s.walk(t, by, strings.Contains(seen["open"], by.who)) })
			}
			w.close(s.ballot)
			for _, by := range s.spectators() {
				t.Run("closed for "+by.who, func(t *testing.T) { s.walk(t, by, strings.Contains(seen["closed"], by.who)) })
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
