package ops

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// report is what is answered about the process.
type report struct {
	// Status is healthy, starting, ready, degraded, unready or draining.
	Status string `json:"status"`
	// Since is when it began, of draining.
	Since string     `json:"since,omitempty"`
	Parts []health   `json:"parts,omitempty"`
	Steps []progress `json:"steps,omitempty"`
}

// health is how one part does.
type health struct {
	Name   string `json:"name"`
	Needed bool   `json:"needed"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
	// Since is when it began to fail; empty when all is well.
	Since string `json:"since,omitempty"`
}

// progress is a step of the start.
type progress struct {
	Name  string `json:"name"`
	Since string `json:"since"`
	// Took is empty for the step at hand, and Error what that waits for.
	Took  string `json:"took,omitempty"`
	Error string `json:"error,omitempty"`
}

// moment writes a time for people and programs.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
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
	what.write(w)
}

// write writes a report as lines.
func (r report) write(w io.Writer) {
	if r.Since != "" {
		fmt.Fprintf(w, "%s\nsince %s\n", r.Status, r.Since)
	} else {
		fmt.Fprintln(w, r.Status)
	}
	for _, part := range r.Parts {
		if part.OK {
			fmt.Fprintf(w, "%s: ok\n", part.Name)
		} else {
			fmt.Fprintf(w, "%s: %s (since %s)\n", part.Name, part.Error, part.Since)
		}
	}
	for _, step := range r.Steps {
		switch {
		case step.Took != "":
			fmt.Fprintf(w, "%s: took %s\n", step.Name, step.Took)
		case step.Error != "":
			fmt.Fprintf(w, "%s: %s (since %s)\n", step.Name, step.Error, step.Since)
		default:
			fmt.Fprintf(w, "%s: since %s\n", step.Name, step.Since)
		}
	}
}
