package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/historytest"
)

// impatient gives up soon: what becomes of the request is then unknown.
var impatient = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// errUnsent says that a request never left.
var errUnsent = errors.New("no connection was had")

// request asks an instance, and reads JSON. An error says that it is not known
// what came of it, unless it is errUnsent.
func request(method, url string, header http.Header, body, answer any) (status int, err error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		content = bytes.NewReader(text)
	}
	// What has an Idempotency-Key is sent again by the transport when its
	// connection breaks: that the last one is refused says little.
	var connected atomic.Bool
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		panic(err)
	}
	r.Header = header
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := impatient.Do(r)
	if err != nil && !connected.Load() {
		return 0, errors.Join(err, errUnsent)
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && len(text) > 0 && answer != nil {
		err = json.Unmarshal(text, answer)
	}
	return response.StatusCode, err
}

// ticket is a vote as a client of the campaign keeps it.
type ticket struct {
	historytest.Vote
	token string
}

// crowdling is one client: it votes, reads and notes all that it is told.
type crowdling struct {
	c    *campaign
	name string
	dice *rand.Rand
	seen map[string]uint64 // by ballot
	past []ticket          // some that were acknowledged
}

func (c *campaign) newCrowdling(n int) *crowdling {
	return &crowdling{c: c, name: fmt.Sprint("client ", n), dice: rand.New(rand.NewPCG(c.seed, uint64(1000+n))), seen: map[string]uint64{}}
}

// live votes and reads until the campaign ends.
func (k *crowdling) live() {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for ; !k.c.ended(); <-pace.C {
		for _, token := range k.tokens(50) {
			if k.c.ended() {
				return
			}
			k.act(token)
			<-pace.C
		}
	}
}

func (k *crowdling) tokens(n int) []string {
	var answer struct{ Tokens []string }
	status, err := request(http.MethodPost, k.anywhere()+"/api/v1/voters", http.Header{}, map[string]int{"count": n}, &answer)
	if err != nil || status != http.StatusCreated {
		return nil
	}
	return answer.Tokens
}

func (k *crowdling) anywhere() string {
	return "http://" + k.c.places[k.dice.IntN(len(k.c.places))].addr
}

func (k *crowdling) ticket(ballot, token string) ticket {
	return ticket{token: token, Vote: historytest.Vote{Ballot: ballot, Voter: token, ID: domain.NewVoteID().String(), Choice: k.dice.IntN(2)}}
}

// act is what one voter does.
func (k *crowdling) act(token string) {
	ballots := k.c.current()
	ballot := ballots[k.dice.IntN(len(ballots))]
	v := k.ticket(ballot.ID, token)
	switch roll := k.dice.IntN(100); {
	case roll < 10: // twice at once
		k.both(v, v)
		k.insist(v)
	case roll < 20: // two votes at once: one has to win, where they may not be changed
		other := k.ticket(v.Ballot, token)
		k.both(v, other)
		k.insist(v)
		k.insist(other)
	case roll < 25: // another choice for the same vote
		k.insist(v)
		v.Choice = 1 - v.Choice
		k.insist(v)
	case roll < 30: // gives up
		k.send(v, k.anywhere())
	case roll < 60 && ballot.changes: // changes the vote, and sends the former once more
		k.insist(v)
		for range 1 + k.dice.IntN(3) {
			k.insist(k.ticket(v.Ballot, token))
		}
		k.insist(v)
	default:
		if k.insist(v) && len(k.past) < 100 {
			k.past = append(k.past, v)
		}
	}
	if len(k.past) > 0 && k.dice.IntN(10) == 0 {
		k.insist(k.past[k.dice.IntN(len(k.past))]) // the same receipt, after whatever has happened
	}
	k.read(v.Ballot)
}

// both sends two votes to two instances at the same moment.
func (k *crowdling) both(one, other ticket) {
	var sending sync.WaitGroup
	sending.Go(func() { k.send(one, "http://"+k.c.places[0].addr) })
	sending.Go(func() { k.send(other, "http://"+k.c.places[1].addr) })
	sending.Wait()
}

// insist sends a vote until it is accepted, which it returns, or refused.
func (k *crowdling) insist(v ticket) bool {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for begin := time.Now(); time.Since(begin) < atLast; <-pause.C {
		switch a := k.send(v, k.anywhere()); a.Fate {
		case historytest.Accepted:
			k.c.accepted.Add(1)
			k.seen[v.Ballot] = max(k.seen[v.Ballot], a.Version)
			return true
		case historytest.Refused:
			return false
		case historytest.Unknown, historytest.Failed:
		}
	}
	k.c.complain("a vote had no answer in %v", atLast)
	return false
}

// send sends a vote once.
func (k *crowdling) send(v ticket, instance string) historytest.Answer {
	header := http.Header{"Authorization": {"Bearer " + v.token}, "Idempotency-Key": {v.ID}}
	var told struct {
		Receipt, Replaces, Code string
		Version                 uint64
	}
	answered := k.c.history.Send(v.Vote)
	status, err := request(http.MethodPost, instance+"/api/v1/ballots/"+v.Ballot+"/votes", header,
		map[string]any{"choices": []string{strconv.Itoa(v.Choice + 1)}}, &told)
	a := historytest.Answer{Fate: k.c.fate(status, told.Code, err), Code: told.Code, Receipt: told.Receipt, Replaces: told.Replaces, Version: told.Version}
	answered(a)
	return a
}

// fate says what an answer means.
func (c *campaign) fate(status int, code string, err error) historytest.Fate {
	switch {
	case errors.Is(err, errUnsent):
		return historytest.Failed
	case err != nil:
		return historytest.Unknown
	case status == http.StatusOK || status == http.StatusCreated:
		return historytest.Accepted
	case status == http.StatusConflict:
		return historytest.Refused
	case status == http.StatusServiceUnavailable && code == "outcome_unknown":
		return historytest.Unknown
	case status == http.StatusServiceUnavailable && slices.Contains([]string{"busy", "store_unavailable", "keys_unavailable", "draining"}, code):
		return historytest.Failed
	}
	c.complain("an answer that nobody can go on with: %d %s", status, code)
	return historytest.Unknown
}

// tally is a result as the API gives it.
type tally struct {
	Version, Votes uint64
	Options        []struct{ Votes uint64 }
}

// noted is the tally as the history has it.
func (t tally) noted(ballot, client string, presented uint64) historytest.Read {
	r := historytest.Read{Ballot: ballot, Client: client, Presented: presented, Version: t.Version, Voters: t.Votes, Counts: []uint64{}}
	for _, option := range t.Options {
		r.Counts = append(r.Counts, option.Votes)
	}
	return r
}

// read looks at a result, and says what was seen before in one of two ways.
func (k *crowdling) read(ballot string) {
	presented := k.seen[ballot]
	url, header := k.anywhere()+"/api/v1/ballots/"+ballot+"/results", http.Header{}
	if presented > 0 && k.dice.IntN(2) == 0 {
		header.Set("If-None-Match", strconv.Quote(fmt.Sprint(presented)))
	} else if presented > 0 {
		url += fmt.Sprint("?after=", presented)
	}
	var shown tally
	switch status, err := request(http.MethodGet, url, header, nil, &shown); {
	case err == nil && status == http.StatusOK:
		k.c.history.Look(shown.noted(ballot, k.name, presented))
		k.seen[ballot] = max(presented, shown.Version)
	case err == nil && status == http.StatusNotModified:
		k.c.history.Look(historytest.Read{Ballot: ballot, Client: k.name, Presented: presented, Version: presented})
	case err == nil && status != http.StatusServiceUnavailable:
		k.c.complain("a result was answered with %d", status)
	}
}
