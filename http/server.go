// Package http is the face of the service: pages for people, a JSON API for
// programs, and streams for both. It declares what it needs of the runtime
// (Ballots) and knows nothing of who provides it.
//
// The file routes.go says what is where; errors.go turns codes into statuses,
// once for all.
package http

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

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/reactor"
	"github.com/oponn/oponn/views/locales"
	"github.com/oponn/oponn/views/openapi"
)

// maxHeader is the most bytes of a request's head.
const maxHeader = 32 << 10

// Server answers requests. It is an http.Handler and safe for concurrent use.
type Server struct {
	cfg         Config
	meters      *meters
	ballots     Ballots
	echo        *echo.Echo
	http        *http.Server
	crossOrigin *http.CrossOriginProtection
	lastHost    atomic.Pointer[string] // that a request named, of those we serve

	voters   identity
	owners   identity
	managers signer // of cookies for ballots whose owner key the browser showed
	codes    signer // of cookies that stand for codes
	tokens   signer
	document *openapi.Document

	budgets  budgets
	exports  chan struct{} // has an entry for each export of votes under way
	pictures *memo[pictureKey, []byte]
	paces    *memo[paceKey, paceFound]

	apiDialects    dialects
	pageDialects   map[*locales.Locale]dialects
	statusDialects map[*locales.Locale]*dialect

	seats    *seats
	sockets  *sockets // of streams that net/http knows nothing of any more
	voting   gate     // of the fast path
	reactor  *reactor.Reactor
	date     date
	draining atomic.Bool
	// ending is closed when streams have to end.
	ending  chan struct{}
	endOnce sync.Once
}

// New returns a server for the ballots.
func New(cfg Config, ballots Ballots) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, ballots: ballots, crossOrigin: http.NewCrossOriginProtection(), ending: make(chan struct{})}
	var err error
	if s.document, err = openapi.Read(); err != nil {
		return nil, err
	}
	s.apiDialects, s.pageDialects, s.statusDialects = apiDialects(), make(map[*locales.Locale]dialects), make(map[*locales.Locale]*dialect)
	for _, l := range locales.All() {
		s.pageDialects[l], s.statusDialects[l] = pageDialects(l), statusDialect(l)
	}
	s.budgets, s.exports = newBudgets(cfg.RateLimits, s.cfg.Limiter), make(chan struct{}, maxExports)
	s.pictures, s.paces = newMemo[pictureKey, []byte](keptPictures, drawers), newMemo[paceKey, paceFound](keptPaces, paceReaders)
	s.sockets = newSockets()
	s.seats = newSeats(cfg.MaxStreams, cfg.MaxStreams)
	if cfg.RateLimits {
		s.seats = newSeats(cfg.MaxStreams, max(cfg.MaxStreams/2, 1))
	}
	for purpose, signer := range map[string]*signer{
		purposeVoterCookie: &s.voters.signer,
		purposeOwnerCookie: &s.owners.signer,
		purposeManager:     &s.managers,
		purposeCodeCookie:  &s.codes,
		purposeVoterToken:  &s.tokens,
	} {
		var err error
		if *signer, err = newSigner(purpose, cfg.Secrets); err != nil {
			return nil, err
		}
	}
	s.voters.name, s.owners.name = "oponn_voter", "oponn_owner"
	s.echo = s.routes()
	s.meters = newMeters(cfg.Meter, s.echo.Routes())
	s.http = &http.Server{
		Handler: s,
		// For head and body together: a deadline of its own for the head would
		// be one more timer to set with every request.
		ReadTimeout: cfg.ReadTimeout,
		// Streams move theirs with every write.
		WriteTimeout:   cfg.ReadTimeout + cfg.Deadline + 5*time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: maxHeader,
		ConnContext:    withPlainConn,
		ConnState:      idles,
		ErrorLog:       slog.NewLogLogger(complaints{cfg.Logger.Handler()}, slog.LevelDebug),
	}
	s.reactor = reactor.New(reactor.Config{Idle: s.http.IdleTimeout, Failed: func(reason any) {
		cfg.Logger.Error("connection failed", "reason", fmt.Sprint(reason), "stack", oponn.Stack())
	}})
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers the connections of the listener until Shutdown; then it
// returns nil.
func (s *Server) Serve(l net.Listener) error {
	if canTakeOver { // else streams need to read ahead
		l = newDoor(s, l)
	}
	return served(s.http.Serve(l))
}

// ServeTLS is Serve with TLS and HTTP/2.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	return served(s.http.ServeTLS(l, certFile, keyFile))
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("http: serve: %w", err)
}

// Drain makes the server ready to go: every answer ends its connection, and
// writes and new streams are refused with a word on when to come back. It
// returns at once.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown drains, ends the streams that are still open, closes the listeners
// and waits for the requests under way. When the context ends first, it cuts
// their connections and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	s.endOnce.Do(func() { close(s.ending) })
	s.sockets.end()
	var late error
	select {
	case <-s.voting.shut():
	case <-ctx.Done():
		late = ctx.Err()
	}
	err := errors.Join(late, s.http.Shutdown(ctx))
	if err != nil {
		err = errors.Join(fmt.Errorf("http: shut down: %w", err), s.http.Close())
	}
	return errors.Join(err, s.reactor.Close(), s.sockets.close(ctx))
}
