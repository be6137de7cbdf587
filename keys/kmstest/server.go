// Package kmstest is AWS KMS in one process, for tests: an HTTP server that
// speaks the KMS JSON protocol to the real AWS client, encrypts for real
// (AES-256-GCM, encryption contexts enforced), and can be told to misbehave.
// It checks no signatures, and forgets its keys when it is closed.
//
//	server := kmstest.Start(t)
//	arn := server.CreateKey("alias/oponn")
//	cmd.Env = append(os.Environ(), server.Env("alias/oponn")...) // any AWS client
package kmstest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Region is the region of every server's keys.
const Region = "eu-test-1"

// Server is a KMS. Its methods are safe for concurrent use; where they take a
// key, an alias, a key id or an ARN will do.
type Server struct {
	// URL is where it listens, for AWS_ENDPOINT_URL.
	URL string

	http   *httptest.Server
	closed chan struct{}

	mu       sync.Mutex
	keys     map[string]*key   // by id
	aliases  map[string]string // to ids
	faults   []*Fault
	requests []Request
}

// Request is one call that reached a server, with every byte of both bodies.
type Request struct {
	Op       string // GenerateDataKey, Decrypt …
	Body     []byte
	Response []byte // nil while it is under way, and when the connection was dropped
}

// NewServer starts a server on a free port of 127.0.0.1, without any key.
func NewServer() *Server {
	s := &Server{closed: make(chan struct{}), keys: make(map[string]*key), aliases: make(map[string]string)}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Start is NewServer for as long as a test takes.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := NewServer()
	tb.Cleanup(s.Close)
	return s
}

// Close ends the server and every call that is under way. From then on
// connections are refused. It may be called again.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return
	default:
		close(s.closed)
	}
	go s.http.CloseClientConnections() // they may wait for mu
	_ = s.http.Listener.Close()
}

// Client returns an HTTP client for the server, for what AWS's would not send.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Env returns the environment, as for exec.Cmd, by which an oponn or any other
// AWS client in another process uses the server with the given key, and no
// credentials or files of the machine's owner.
func (s *Server) Env(keyID string) []string {
	return []string{
		"OPONN_KMS_KEY_ID=" + keyID,
		"AWS_ENDPOINT_URL=" + s.URL,
		"AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
		"AWS_SESSION_TOKEN=",
		"AWS_PROFILE=",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// Calls counts the calls of one operation that reached the server, failed ones
// included; of all operations when op is empty.
func (s *Server) Calls(op string) int {
	n := 0
	for _, r := range s.Requests() {
		if op == "" || r.Op == op {
			n++
		}
	}
	return n
}

// Requests returns all calls that reached the server.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return
	}
	n, fault := s.arrived(op, body)
	if fault != nil && !s.misbehave(w, r, fault) {
		return
	}
	var answer any = awsError{"UnknownOperationException", "There is no operation " + op + "."}
	if ok {
		answer = s.do(op, r.Header.Get("Authorization"), body)
	}
	s.answer(w, n, answer)
}

// arrived records a request, and returns its number and what goes wrong with it.
func (s *Server) arrived(op string, body []byte) (int, *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{Op: op, Body: body})
	for i, f := range s.faults {
		if f.Op != "" && f.Op != op {
			continue
		}
		if f.Times > 0 {
			if f.left--; f.left == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return len(s.requests) - 1, f
	}
	return len(s.requests) - 1, nil
}

// misbehave does what a fault says, and returns whether the call goes on.
func (s *Server) misbehave(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-s.closed:
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Code != "":
		writeError(w, f.status(), awsError{f.Code, "A fault of the test."})
		return false
	case f.Garbage != "":
		_, _ = io.WriteString(w, f.Garbage)
		return false
	default:
		return true
	}
}

func (s *Server) answer(w http.ResponseWriter, n int, answer any) {
	if e, ok := answer.(awsError); ok {
		writeError(w, http.StatusBadRequest, e)
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	s.requests[n].Response = body
	s.mu.Unlock()
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body)
}

const contentType = "application/x-amz-json-1.1"

// awsError is an error as KMS writes it.
type awsError struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func writeError(w http.ResponseWriter, status int, e awsError) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(e)
}
