package main_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	domain "github.com/oponn/oponn"
)

// TestCluster_RotatedSecretsLetNobodyVoteTwice signs voters with one secret and
// has them vote again where another signs.
func TestCluster_RotatedSecretsLetNobodyVoteTwice(t *testing.T) {
	c := newCluster(t)
	former, fresh := c.secret, strings.Repeat("a fresh secret ", 3)
	old := c.serve(t)
	ballot := createBallot(t, old, "Twice?", "yes", "no")
	tokens, _ := newTokens(old, 1)
	if r := newVote(ballot, tokens[0], "1").cast(old); r.status != http.StatusCreated {
		t.Fatalf("the first vote got %s", r)
	}
	browser := newBrowser(t, old, ballot)
	if status, location := browser.vote(t, old, ballot, "1"); status != http.StatusSeeOther {
		t.Fatalf("the first vote of a browser got %d to %q", status, location)
	}

	c.secret = fresh + "," + former
	rotated := c.serve(t)
	for _, s := range []*server{old, rotated, rotated} {
		if r := newVote(ballot, tokens[0], "2").cast(s); r.status != http.StatusConflict || r.Code != "already_voted" {
			t.Errorf("the token's second vote got %s, want 409 already_voted", r)
		}
		status, location := browser.vote(t, s, ballot, "2")
		if status != http.StatusSeeOther || !strings.Contains(location, "already_voted") {
			t.Errorf("the browser's second vote got %d to %q", status, location)
		}
		if votes, counted := resultsNow(t, s, ballot); votes != 2 || counted != 2 {
			t.Errorf("%d votes and a sum of %d, want 2", votes, counted)
		}
		// The page signs the cookie anew: it stays the same voter.
		if status, location := browser.visit(t, s, ballot); status != http.StatusSeeOther || !strings.Contains(location, "/results") {
			t.Errorf("who has voted got %d to %q, want the results", status, location)
		}
	}
	tokens, _ = newTokens(rotated, 1)
	if r := newVote(ballot, tokens[0], "2").cast(old); r.status != http.StatusUnauthorized {
		t.Errorf("a token of the fresh secret got %s where that is unknown, want 401", r)
	}
	if r := newVote(ballot, tokens[0], "2").cast(rotated); r.status != http.StatusCreated {
		t.Errorf("a new voter got %s", r)
	}

	c.secret = fresh
	forgetful := c.serve(t)
	if r := newVote(ballot, tokens[0], "1").cast(forgetful); r.Code != "already_voted" {
		t.Errorf("a voter of the fresh secret got %s, want 409 already_voted", r)
	}
	wantGoodEnd(t, old, rotated, forgetful)
	c.mustVerify(t)
}

// resultsNow reads results that are at least as new as the second vote.
func resultsNow(t *testing.T, s *server, ballot string) (votes, counted int) {
	t.Helper()
	eventually(t, "two votes", func() bool {
		votes, counted = results(t, s, ballot)
		return votes >= 2
	})
	return votes, counted
}

// browser keeps its cookies as they were, whatever it is sent, until it
// visits a page.
type browser struct {
	client  http.Client
	cookies map[string]string
}

// newBrowser visits a ballot's page.
func newBrowser(t *testing.T, s *server, ballot string) *browser {
	t.Helper()
	b := &browser{cookies: map[string]string{}, client: http.Client{Timeout: client.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, _ := b.visit(t, s, ballot); status != http.StatusOK || len(b.cookies) == 0 {
		t.Fatalf("the vote page: status %d, %d cookies", status, len(b.cookies))
	}
	return b
}

func (b *browser) visit(t *testing.T, s *server, ballot string) (status int, location string) {
	t.Helper()
	return b.do(t, http.MethodGet, s.url+"/ballots/"+ballot, nil)
}

// vote sends the form with a vote id that was never sent before.
func (b *browser) vote(t *testing.T, s *server, ballot, option string) (status int, location string) {
	t.Helper()
	form := url.Values{"choice": {option}, "vote_id": {domain.NewVoteID().String()}}
	return b.do(t, http.MethodPost, s.url+"/ballots/"+ballot+"/votes", form)
}

func (b *browser) do(t *testing.T, method, address string, form url.Values) (status int, location string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	for _, cookie := range response.Cookies() {
		b.cookies[cookie.Name] = cookie.Value
	}
	return response.StatusCode, response.Header.Get("Location")
}
