// Package ops is the operators' listener: what a process says about itself to
// whoever runs it, apart from the listener that the world sees.
//
//	/healthz  the process runs and answers
//	/readyz   it can acknowledge votes; 503 when it can't, or is going down
//	/metrics  what its parts count, for Prometheus
//	/debug/pprof/  profiles, for go tool pprof
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"
)

// Config is what the listener reports on. Everything in it may be zero.
type Config struct {
	// Addr is the address it listens on: requests may name its host.
	Addr string
	// Parts are what readiness is asked of.
	Parts []Part
	// Metrics are shown at /metrics; nil for none but those of the process.
	Metrics *Metrics
	// Logger is slog.Default when nil.
	Logger *slog.Logger
}

// Server answers operators. It is an http.Handler and safe for concurrent use.
type Server struct {
	parts    []Part
	handler  http.Handler
	http     *http.Server
	draining atomic.Bool
}

// New returns a server. It is ready until Drain.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	s := &Server{parts: cfg.Parts}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", cfg.Metrics.handler(cfg.Logger))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s.handler = guard(cfg.Addr, mux)
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // a profile takes as long as was asked for
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers the connections of the listener until Shutdown; then it
// returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("ops: serve: %w", err)
	}
	return nil
}

// Drain makes the process unready: whoever spreads the load stops sending any
// here. It stays healthy.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown closes the listener and waits for the requests under way, or cuts
// them off when the context ends first.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("ops: shut down: %w", err), s.http.Close())
	}
	return nil
}

// health answers as long as the process does.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	answer(w, r, http.StatusOK, report{Status: "healthy"})
}
