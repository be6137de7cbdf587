// Package ops is the operators' listener: what a process says about itself to
// whoever runs it, apart from the listener that the world sees.
//
//	/         the live console; the same as JSON at /console.json
//	/healthz  the process runs and answers
//	/readyz   it can acknowledge votes; 503 when it can't yet, can't, or is going
//	          down; with what is wrong, and since when
//	/log      the level of the log, to be changed by POST /log?level=debug
//	/metrics  what its parts count, for Prometheus
//	/debug/pprof/  profiles, for go tool pprof
package ops

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
)

// Config is what the listener reports on. Everything in it may be zero.
type Config struct {
	// Addr is the address it listens on: requests may name its host.
	Addr string
	// Parts are what readiness is asked of.
	Parts []Part
	// Metrics are shown at /metrics; nil for none but those of the process.
	Metrics *Metrics
	// Console is what the live console is about; nil for none.
	Console *Console
	// Level is that of the log, to be looked at and changed; nil for none.
	Level *slog.LevelVar
	// Logger is slog.Default when nil.
	Logger *slog.Logger
}

// Server answers operators. It is an http.Handler and safe for concurrent use.
type Server struct {
	ward     *ward
	level    *slog.LevelVar
	log      *slog.Logger
	handler  http.Handler
	console  *liveConsole              // nil: there is none
	draining atomic.Pointer[time.Time] // when that began; nil: not yet
}

// New returns a server, to be put behind a Front. It is ready until Drain.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	s := &Server{ward: newWard(cfg.Parts), level: cfg.Level, log: cfg.Logger}
	s.count(cfg.Metrics)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", answerHealth)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", cfg.Metrics.handler(cfg.Logger))
	if cfg.Level != nil {
		mux.HandleFunc("GET /log", s.showLevel)
		mux.HandleFunc("POST /log", s.setLevel)
		mux.HandleFunc("PUT /log", s.setLevel)
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if cfg.Console != nil {
		s.console = newConsole(s, *cfg.Console, cfg.Metrics)
		s.console.routes(mux)
	}
	s.handler = guard(cfg.Addr, mux)
	return s
}

// count shows what is wrong beside what is measured.
func (s *Server) count(meter oponn.Meter) {
	for _, p := range s.ward.patients {
		meter.Gauge(oponn.Metric{Name: "oponn_part_degraded", Labels: oponn.Labels{"part": p.Name},
			Help: "1 while something that votes depend on is not well."}, func() float64 { return number(p.ill.Load()) })
	}
	meter.Gauge(oponn.Metric{Name: "oponn_draining", Help: "1 while the instance is about to end."},
		func() float64 { return number(s.draining.Load() != nil) })
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes the process unready: whoever spreads the load stops sending any
// here. It stays healthy.
func (s *Server) Drain() {
	now := time.Now()
	if s.draining.CompareAndSwap(nil, &now) && s.console != nil {
		s.console.nudge()
	}
}
