package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// patience is how long a part may take to answer.
const patience = 2 * time.Second

// Part is something that votes depend on.
type Part struct {
	// Name is a word for people and programs: store, runtime.
	Name string
	// Needed says that without it no vote can be acknowledged: the process is
	// unready then. Without any other part it is only degraded.
	Needed bool
	// Check returns what is wrong with it, or nil. It should heed its context.
	Check func(context.Context) error
}

// report is what is answered.
type report struct {
	// Status is ready, degraded, unready or draining.
	Status string   `json:"status"`
	Parts  []health `json:"parts,omitempty"`
}

// health is how one part does.
type health struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// ready says whether votes sent here will be acknowledged.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	found := report{Status: "ready", Parts: s.examine(r.Context())}
	for i, part := range s.parts {
		switch {
		case found.Parts[i].OK:
		case part.Needed:
			found.Status = "unready"
		case found.Status == "ready":
			found.Status = "degraded"
		}
	}
	if s.draining.Load() {
		found.Status = "draining"
	}
	status := http.StatusOK
	if found.Status == "unready" || found.Status == "draining" {
		status = http.StatusServiceUnavailable
	}
	answer(w, r, status, found)
}

// examine asks all parts at once and gives up on those that don't answer.
func (s *Server) examine(ctx context.Context) []health {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	parts := make([]health, len(s.parts))
	var asked sync.WaitGroup
	for i, part := range s.parts {
		asked.Go(func() {
			parts[i] = health{Name: part.Name, OK: true}
			if err := part.ask(ctx); err != nil {
				parts[i] = health{Name: part.Name, Error: err.Error()}
			}
		})
	}
	asked.Wait()
	return parts
}

// ask calls Check, and returns in time even where that hangs.
func (p Part) ask(ctx context.Context) error {
	answered := make(chan error, 1)
	go func() {
		defer func() {
			if reason := recover(); reason != nil {
				answered <- fmt.Errorf("check panicked: %v", reason)
			}
		}()
		answered <- p.Check(ctx)
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return errors.New("no answer in time")
	}
}

// answer writes a report as JSON to who asks for that, else as lines.
func answer(w http.ResponseWriter, r *http.Request, status int, what report) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(what) // whoever asked may have gone
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, what.Status)
	for _, part := range what.Parts {
		if part.OK {
			fmt.Fprintf(w, "%s: ok\n", part.Name)
		} else {
			fmt.Fprintf(w, "%s: %s\n", part.Name, part.Error)
		}
	}
}
