package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Front answers at the operators' listener from a process's first moment on:
// while it starts, how far it has come, and from Open on what its Server says.
// It is safe for concurrent use.
type Front struct {
	http     *http.Server
	starting http.Handler
	server   atomic.Pointer[Server]

	mu    sync.Mutex
	steps []step
}

// step is a part of the start.
type step struct {
	name   string
	began  time.Time
	took   time.Duration // zero: it is at hand
	hinder error
}

// NewFront returns a front for the listener at addr, whose host requests may
// name. Logger is slog.Default when nil.
func NewFront(addr string, logger *slog.Logger) *Front {
	if logger == nil {
		logger = slog.Default()
	}
	f := &Front{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", answerHealth)
	mux.HandleFunc("GET /readyz", f.progress)
	f.starting = guard(addr, mux)
	f.http = &http.Server{
		Handler:           f,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // a profile takes as long as was asked for
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	return f
}

// Step says that the step before is done, and what is done now.
func (f *Front) Step(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.finish(now)
	f.steps = append(f.steps, step{name: name, began: now})
}

// Hinder says what the step at hand waits for.
func (f *Front) Hinder(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.steps); n > 0 {
		f.steps[n-1].hinder = err
	}
}

// finish ends the step at hand.
func (f *Front) finish(now time.Time) {
	if n := len(f.steps); n > 0 && f.steps[n-1].took == 0 {
		f.steps[n-1].took, f.steps[n-1].hinder = max(now.Sub(f.steps[n-1].began), 1), nil
	}
}

// Open ends the start: from now on the server answers.
func (f *Front) Open(s *Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finish(time.Now())
	f.server.Store(s)
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := f.server.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	f.starting.ServeHTTP(w, r)
}

// Serve answers the connections of the listener until Shutdown; then it
// returns nil.
func (f *Front) Serve(l net.Listener) error {
	if err := f.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("ops: serve: %w", err)
	}
	return nil
}

// Shutdown closes the listener and waits for the requests under way, or cuts
// them off when the context ends first.
func (f *Front) Shutdown(ctx context.Context) error {
	if s := f.server.Load(); s != nil && s.console != nil {
		s.console.close()
	}
	if err := f.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("ops: shut down: %w", err), f.http.Close())
	}
	return nil
}

// progress says which step the start has come to: not ready yet.
func (f *Front) progress(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	found := report{Status: "starting"}
	for _, s := range f.steps {
		p := progress{Name: s.name, Since: moment(s.began)}
		if s.took > 0 {
			p.Took = s.took.Round(time.Millisecond).String()
		}
		if s.hinder != nil {
			p.Error = s.hinder.Error()
		}
		found.Steps = append(found.Steps, p)
	}
	f.mu.Unlock()
	answer(w, r, http.StatusServiceUnavailable, found)
}

// answerHealth answers as long as the process does.
func answerHealth(w http.ResponseWriter, r *http.Request) {
	answer(w, r, http.StatusOK, report{Status: "healthy"})
}
