package kmstest

import (
	"net/http"
	"time"
)

// Fault is how calls go wrong. The zero value changes nothing.
type Fault struct {
	// Op is the operation that it meets; empty stands for all.
	Op string
	// Times is how many calls it meets before it goes away; 0 stands for all
	// until Heal.
	Times int

	// Delay comes before everything else; 0 to an answer at once. It ends when
	// the client leaves or the server closes.
	Delay time.Duration
	// Drop ends the connection without an answer.
	Drop bool
	// Code is the error to answer with, such as "AccessDeniedException".
	Code string
	// Status is the HTTP status of Code; 0 stands for what KMS would send.
	Status int
	// Garbage is a body to answer with, with status 200.
	Garbage string

	left int
}

// Faults that KMS knows.
var (
	Down      = Fault{Drop: true}
	Throttled = Fault{Code: "ThrottlingException"}
	Denied    = Fault{Code: "AccessDeniedException"}
	Broken    = Fault{Code: "KMSInternalException"}
)

func (f *Fault) status() int {
	switch {
	case f.Status != 0:
		return f.Status
	case f.Code == "KMSInternalException", f.Code == "KeyUnavailableException":
		return http.StatusInternalServerError
	case f.Code == "DependencyTimeoutException":
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Fail lets calls go wrong from now on. Of several faults the first one that
// fits a call meets it.
func (s *Server) Fail(f Fault) {
	f.left = f.Times
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}
