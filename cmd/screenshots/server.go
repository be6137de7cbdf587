package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/oponn/oponn"
)

// server is a running Oponn with a data directory of its own.
type server struct {
	url     string
	process *exec.Cmd
	data    string
}

// startServer starts the binary on free ports and waits until it answers.
func startServer(ctx context.Context, binary string) (*server, error) {
	data, err := os.MkdirTemp("", "oponn-screenshots-")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	ops, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + addr, data: data}
	s.process = exec.CommandContext(ctx, binary, "serve") //nolint:gosec // ours
	s.process.Env = append(os.Environ(), "OPONN_ADDR="+addr, "OPONN_OPS_ADDR="+ops, "OPONN_DATA_DIR="+data, "OPONN_LOG_LEVEL=warn")
	s.process.Stderr = os.Stderr
	s.process.Cancel = func() error { return s.process.Process.Signal(syscall.SIGTERM) }
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.url[len("http://"):]); err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", ctx.Err())
		}
	}
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
	_ = os.RemoveAll(s.data)
}

// made is a ballot with its owner's key.
type made struct {
	ID       string
	OwnerKey string `json:"owner_key"`
}

// shown are the ballots of the tour.
type shown struct{ tabs, lunch, coded, later, closed, hidden made }

// ballots makes them.
func (s *server) ballots(ctx context.Context) (b shown, err error) {
	tabs := map[string]any{
		"question": "Tabs or spaces?", "join_code": true,
		"options": []string{"tabs, obviously", "spaces, two of them", "whatever the formatter says", "both, in the same file"},
	}
	if b.closed, err = s.voted(ctx, tabs, 41, 41, 12, 3); err != nil {
		return b, err
	}
	if err := s.send(ctx, http.MethodPatch, "/api/v1/ballots/"+b.closed.ID, map[string]string{"status": "closed"}, nil,
		"Authorization", "Bearer "+b.closed.OwnerKey); err != nil {
		return b, err
	}
	for _, ballot := range []struct {
		into *made
		how  func(context.Context) (made, error)
	}{{&b.lunch, s.lunch}, {&b.coded, s.coded}, {&b.later, s.later}, {&b.hidden, s.hidden}} {
		if *ballot.into, err = ballot.how(ctx); err != nil {
			return b, err
		}
	}
	tabs["closes_at"] = time.Now().Add(25 * time.Minute).UTC().Format(time.RFC3339)
	b.tabs, err = s.voted(ctx, tabs, 120, 86, 70, 12)
	return b, err
}

// later makes a ballot that is yet to open.
func (s *server) later(ctx context.Context) (b made, err error) {
	err = s.post(ctx, "/api/v1/ballots", map[string]any{
		"question": "Which talk shall be given twice?", "options": []string{"the opening", "the one on actors", "the lightning talks"},
		"opens_at": time.Now().Add(90 * time.Minute).UTC().Format(time.RFC3339),
	}, &b)
	return b, err
}

// hidden makes a ballot whose result is shown when it has closed.
func (s *server) hidden(ctx context.Context) (b made, err error) {
	err = s.post(ctx, "/api/v1/ballots", map[string]any{
		"question": "Who gets the prize?", "options": []string{"Ada", "Grace", "Barbara"}, "visibility": "after_closing",
	}, &b)
	return b, err
}

// lunch makes a ballot on which several options are chosen, with one that a
// voter added and that waits for approval.
func (s *server) lunch(ctx context.Context) (made, error) {
	var ballot made
	err := s.post(ctx, "/api/v1/ballots", map[string]any{
		"question": "What shall we have for lunch on Friday?", "options": []string{"noodles", "something from the market", "sandwiches"},
		"choices": map[string]int{"min": 1, "max": 3}, "allow_write_in": true, "write_ins": "moderated", "allow_change": true,
	}, &ballot)
	if err != nil {
		return made{}, err
	}
	var voters struct{ Tokens []string }
	if err := s.post(ctx, "/api/v1/voters", map[string]int{"count": 1}, &voters); err != nil {
		return made{}, err
	}
	return ballot, s.post(ctx, "/api/v1/ballots/"+ballot.ID+"/votes", map[string]any{"choices": []string{"2"}, "write_in": "a picnic by the river"}, nil,
		"Authorization", "Bearer "+voters.Tokens[0], "Idempotency-Key", oponn.NewVoteID().String())
}

// coded makes a ballot on which codes vote.
func (s *server) coded(ctx context.Context) (made, error) {
	var ballot made
	err := s.post(ctx, "/api/v1/ballots", map[string]any{
		"question": "Who shall speak for us in the coming year?", "options": []string{"Maria", "Jonas", "both, in turns"},
		"protection": "codes", "visibility": "after_voting",
	}, &ballot)
	return ballot, err
}

// voted makes a ballot with so many votes for its options.
func (s *server) voted(ctx context.Context, draft map[string]any, votes ...int) (made, error) {
	var ballot made
	if err := s.post(ctx, "/api/v1/ballots", draft, &ballot); err != nil {
		return made{}, err
	}
	for option, n := range votes {
		var voters struct{ Tokens []string }
		if err := s.post(ctx, "/api/v1/voters", map[string]int{"count": n}, &voters); err != nil {
			return made{}, err
		}
		for _, token := range voters.Tokens {
			vote := map[string]any{"choices": []string{strconv.Itoa(option + 1)}}
			err := s.post(ctx, "/api/v1/ballots/"+ballot.ID+"/votes", vote, nil,
				"Authorization", "Bearer "+token, "Idempotency-Key", oponn.NewVoteID().String())
			if err != nil {
				return made{}, err
			}
		}
	}
	return ballot, nil
}

// post posts JSON and reads the answer into a value, unless that is nil.
func (s *server) post(ctx context.Context, path string, body, answer any, headers ...string) error {
	return s.send(ctx, http.MethodPost, path, body, answer, headers...)
}

func (s *server) send(ctx context.Context, method, path string, body, answer any, headers ...string) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
