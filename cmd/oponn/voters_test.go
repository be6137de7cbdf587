package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"

	domain "github.com/oponn/oponn"
)

// post sends JSON and reads JSON. The status is 0 when there is no answer.
func post(url string, header http.Header, body, answer any) (status int) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	if err != nil || response.StatusCode < 300 && json.Unmarshal(text, answer) != nil {
		return 0 // half an answer is none
	}
	return response.StatusCode
}

// createBallot makes a ballot that takes write-ins.
func createBallot(t *testing.T, s *server, question string, options ...string) (id string) {
	t.Helper()
	var created struct{ ID string }
	body := map[string]any{"question": question, "options": options, "allow_write_in": true}
	if status := post(s.url+"/api/v1/ballots", nil, body, &created); status != http.StatusCreated {
		t.Fatalf("create: status %d", status)
	}
	return created.ID
}

// newTokens asks for voter tokens.
func newTokens(s *server, n int) ([]string, bool) {
	var answer struct{ Tokens []string }
	status := post(s.url+"/api/v1/voters", nil, map[string]int{"count": n}, &answer)
	return answer.Tokens, status == http.StatusCreated
}

// vote is a vote as a client keeps it, to be sent as often as it takes.
type vote struct {
	ballot, token, id string
	body              map[string]any
	// receipt is empty as long as the vote was not acknowledged.
	receipt string
}

func newVote(ballot, token, option string) *vote {
	return &vote{ballot: ballot, token: token, id: domain.NewVoteID().String(), body: map[string]any{"choices": []string{option}}}
}

// send sends the vote and returns the status and the receipt.
func (v *vote) send(s *server) (status int, receipt string) {
	header := http.Header{"Authorization": {"Bearer " + v.token}, "Idempotency-Key": {v.id}}
	var answer struct{ Receipt string }
	status = post(s.url+"/api/v1/ballots/"+v.ballot+"/votes", header, v.body, &answer)
	return status, answer.Receipt
}

// castVotes casts n votes and wants them all acknowledged.
func castVotes(t *testing.T, s *server, ballot string, n int) []*vote {
	t.Helper()
	tokens, ok := newTokens(s, n)
	if !ok {
		t.Fatal("no voter tokens")
	}
	votes := make([]*vote, n)
	for i, token := range tokens {
		v := newVote(ballot, token, strconv.Itoa(i%2+1))
		status, receipt := v.send(s)
		if status != http.StatusCreated {
			t.Fatalf("vote: status %d", status)
		}
		v.receipt, votes[i] = receipt, v
	}
	return votes
}

// crowd is many voters at once.
type crowd struct {
	mu           sync.Mutex
	votes        []*vote // acknowledged or not
	acknowledged int
	refused      map[int]int // by status, other than no answer and those that say: later
	voting       sync.WaitGroup
}

// startCrowd has voters vote on the ballots until the server is gone.
func startCrowd(t *testing.T, s *server, ballots []string) *crowd {
	c := &crowd{refused: map[int]int{}}
	for n := range 16 {
		c.voting.Go(func() { c.vote(s, ballots[n%len(ballots)]) })
	}
	t.Cleanup(c.voting.Wait) // the server is killed before
	return c
}

func (c *crowd) vote(s *server, ballot string) {
	for {
		tokens, ok := newTokens(s, 20)
		if !ok {
			return
		}
		for i, token := range tokens {
			v := newVote(ballot, token, strconv.Itoa(i%2+1))
			if !c.note(v, s) {
				return
			}
		}
	}
}

// note sends a vote, notes what came of it, and says whether to go on.
func (c *crowd) note(v *vote, s *server) bool {
	status, receipt := v.send(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.votes = append(c.votes, v)
	switch status {
	case http.StatusCreated, http.StatusOK:
		v.receipt = receipt
		c.acknowledged++
		return true
	case 0, http.StatusServiceUnavailable:
		return false
	default:
		c.refused[status]++
		return false
	}
}

// count returns how many votes were acknowledged so far.
func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acknowledged
}

// results returns a ballot's number of voters and the sum of its counts.
func results(t *testing.T, s *server, ballot string) (votes, counted int) {
	t.Helper()
	status, body := fetch(t, s.url+"/api/v1/ballots/"+ballot+"/results")
	var tally struct {
		Votes   int
		Options []struct{ Votes int }
	}
	if err := json.Unmarshal([]byte(body), &tally); err != nil || status != http.StatusOK {
		t.Fatalf("results: status %d, %v", status, err)
	}
	for _, option := range tally.Options {
		counted += option.Votes
	}
	return tally.Votes, counted
}
