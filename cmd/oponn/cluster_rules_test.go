package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	domain "github.com/oponn/oponn"
)

// api sends JSON to an instance and returns the answer.
func api(t *testing.T, s *server, method, path, bearer string, body any, headers ...string) (status int, text string) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v1/ballots"+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// wantStatus checks an answer's status and returns its text.
func wantStatus(t *testing.T, want int) func(status int, text string) string {
	t.Helper()
	return func(status int, text string) string {
		t.Helper()
		if status != want {
			t.Fatalf("status %d, want %d: %s", status, want, text)
		}
		return text
	}
}

// TestCluster_Rules goes through the life of a ballot with rules, by turns at
// two instances on Postgres.
func TestCluster_Rules(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.serve(t), c.serve(t)
	var made struct {
		ID       string
		OwnerKey string `json:"owner_key"`
	}
	text := wantStatus(t, http.StatusCreated)(api(t, a, http.MethodPost, "", "", map[string]any{"question": "Tea?", "options": []string{"tea", "coffee"},
		"allow_write_in": true, "choices": map[string]int{"max": 2}, "protection": "codes", "visibility": "after_voting", "allow_change": true}))
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	path, owner := "/"+made.ID, made.OwnerKey
	hidden := watch(t, b, made.ID)
	wantStatus(t, http.StatusOK)(api(t, a, http.MethodPatch, path, owner, map[string]any{"question": "Tea, or what?", "options": []string{"coffee", "cocoa"}}))
	eventually(t, "the new question elsewhere", func() bool {
		_, text := api(t, b, http.MethodGet, path, "", nil)
		return strings.Contains(text, "cocoa") && strings.Contains(text, "or what?")
	})
	var codes struct{ Codes []string }
	text = wantStatus(t, http.StatusCreated)(api(t, b, http.MethodPost, path+"/codes", owner, map[string]int{"count": 3}))
	if err := json.Unmarshal([]byte(text), &codes); err != nil || len(codes.Codes) != 3 {
		t.Fatalf("codes %s: %v", text, err)
	}
	vote := func(s *server, code, choice, writeIn string) (int, string) {
		return api(t, s, http.MethodPost, path+"/votes", "", map[string]any{"code": code, "choices": []string{choice}, "write_in": writeIn},
			"Idempotency-Key", domain.NewVoteID().String())
	}
	wantStatus(t, http.StatusCreated)(vote(a, codes.Codes[0], "2", "mate"))
	text = wantStatus(t, http.StatusOK)(vote(b, codes.Codes[0], "3", ""))
	if !strings.Contains(text, `"replaces":"`) {
		t.Errorf("the second receipt is %s", text)
	}
	wantStatus(t, http.StatusForbidden)(vote(b, string(domain.NewVotingCode()), "3", ""))
	wantStatus(t, http.StatusForbidden)(api(t, a, http.MethodGet, path+"/results", codes.Codes[1], nil))
	text = wantStatus(t, http.StatusOK)(api(t, b, http.MethodGet, path+"/results", codes.Codes[0], nil))
	if !strings.Contains(text, `"votes":1,"status":"open","options":[{"id":"2","label":"coffee","votes":0},{"id":"3","label":"cocoa","votes":1}`) {
		t.Errorf("the result is %s", text)
	}
	wantStatus(t, http.StatusOK)(api(t, a, http.MethodPatch, path, owner, map[string]any{"status": "closed"}))
	wantStatus(t, http.StatusConflict)(vote(b, codes.Codes[1], "3", ""))
	if told := <-hidden; strings.Contains(told, "tally") || strings.Contains(told, `"votes"`) || !strings.Contains(told, `"status":"closed"`) {
		t.Errorf("the hidden stream told %s", told)
	}
	wantStatus(t, http.StatusOK)(api(t, b, http.MethodPatch, path, owner, map[string]any{"status": "open"}))
	wantStatus(t, http.StatusCreated)(vote(a, codes.Codes[1], "3", ""))
	c.mustVerify(t)

	gone := watch(t, b, made.ID)
	began := time.Now()
	wantStatus(t, http.StatusNoContent)(api(t, a, http.MethodDelete, path, owner, nil))
	if told := <-gone; !strings.Contains(told, `"reason":"gone"`) {
		t.Errorf("the stream of a deleted ballot told %s", told)
	}
	if took := time.Since(began); took > 10*time.Second { // two seconds, and what a busy machine takes
		t.Errorf("the stream ended after %v", took)
	}
	for _, s := range []*server{a, b} {
		wantStatus(t, http.StatusGone)(api(t, s, http.MethodGet, path, "", nil))
		wantStatus(t, http.StatusGone)(vote(s, codes.Codes[1], "3", ""))
	}
	wantGoodEnd(t, a, b)
}
