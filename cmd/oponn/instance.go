package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/cmd/oponn/logging"
	"github.com/oponn/oponn/cmd/oponn/tracing"
	web "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/views"
)

// instance is a server with all its parts.
type instance struct {
	cfg     config
	log     *slog.Logger
	level   *slog.LevelVar
	metrics *ops.Metrics

	tracer      oponn.Tracer // nil: no traces are kept
	runtime     *actors.System
	web         *web.Server
	front       *ops.Front
	ops         *ops.Server // behind front, once all is there
	listener    net.Listener
	opsListener net.Listener
	frontEnded  chan error // what front's Serve returned

	// closing is what to close at the end, the last one first.
	closing []part
}

type part struct {
	name  string
	close func() error
}

// start brings up all parts: first the operators' listener, which says how far
// the others are; last that of the world, so that whoever gets a connection
// gets an answer. What was opened is closed when it fails.
func start(ctx context.Context, cfg config, log *logging.Log, assets *views.Assets) (_ *instance, err error) {
	metrics := newMetrics()
	cfg.storage.meter = metrics
	s := &instance{cfg: cfg, log: log.Logger, level: log.Level, metrics: metrics, frontEnded: make(chan error, 1)}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
			defer cancel()
			err = errors.Join(err, s.close(ctx))
		}
	}()
	claim, err := s.claim()
	if err != nil {
		return nil, err
	}
	if err := s.openFront(ctx, claim); err != nil {
		return nil, err
	}
	if err := s.startTraces(ctx); err != nil {
		return nil, err
	}
	secrets, ring, kek, err := s.openKeys(ctx)
	if err != nil {
		return nil, err
	}
	s.front.Step("database")
	store, err := patiently(ctx, s.waits("database"), "database", func(ctx context.Context) (oponn.Store, error) {
		return cfg.storage.open(ctx, cfg.production, false, postgres.Migrating(func() { s.front.Step("migrations") }))
	})
	if err != nil {
		return nil, err
	}
	s.closeLater("database", store.Close)
	s.front.Step("runtime")
	if err := s.listen(ctx, claim); err != nil {
		return nil, err
	}
	notices, err := s.openBus(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.assemble(parts{store: store, ring: ring, kek: kek, bus: notices, secrets: secrets, assets: assets}); err != nil {
		return nil, err
	}
	return s, nil
}

// openFront opens the operators' listener.
func (s *instance) openFront(ctx context.Context, claim *lock) (err error) {
	if s.opsListener, err = listen(ctx, "OPONN_OPS_ADDR", s.cfg.opsAddr, false); err != nil {
		return err
	}
	s.front = ops.NewFront(s.cfg.opsAddr, s.log)
	go func() { s.frontEnded <- s.front.Serve(s.opsListener) }()
	s.closeLater("operators' listener", s.closeFront)
	if s.cfg.production {
		s.log.Info("starting", "version", version(), "ops", s.opsListener.Addr().String())
	}
	return claim.note(s.cfg.addr, s.opsListener.Addr().String())
}

// waits returns what says that the start waits for a part.
func (s *instance) waits(what string) func(time.Duration, error) {
	return func(pause time.Duration, why error) {
		s.log.Warn("waiting", "for", what, "again_in", pause, "error", plainly(why))
		s.front.Hinder(fmt.Errorf("waiting for the %s: %s", what, plainly(why)))
	}
}

// closeFront ends what drain has not.
func (s *instance) closeFront() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	return s.front.Shutdown(ctx)
}

// listen opens the listener for the world, and says in the lock where it is.
func (s *instance) listen(ctx context.Context, claim *lock) (err error) {
	if s.listener, err = listen(ctx, "OPONN_ADDR", s.cfg.addr, s.cfg.reusePort); err != nil {
		return err
	}
	s.closeLater("listener", closeListener(s.listener))
	return claim.note(s.listener.Addr().String(), s.opsListener.Addr().String())
}

// claim makes the data directory and takes it for this process; nil when no
// database is in it that others must stay away from.
func (s *instance) claim() (*lock, error) {
	if !s.cfg.storage.embedded() {
		return nil, nil
	}
	dir := s.cfg.storage.dir
	if err := dir.make(); err != nil {
		return nil, err
	}
	claim, err := dir.lock()
	if err != nil {
		return nil, err
	}
	s.closeLater("lock", claim.release)
	if err := claim.note(s.cfg.addr, s.cfg.opsAddr); err != nil {
		return nil, err
	}
	return claim, nil
}

// openKeys returns what signs and what unlocks.
func (s *instance) openKeys(ctx context.Context) (secrets [][]byte, ring *keys.Ring, kek keys.KEK, err error) {
	storage := s.cfg.storage
	s.front.Step("keys")
	_, err = patiently(ctx, s.waits("database"), "database", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, storage.refuseFreshKey(ctx)
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if secrets = s.cfg.secrets; len(secrets) == 0 {
		if err := storage.dir.make(); err != nil {
			return nil, nil, nil, err
		}
		secret, err := keys.OpenSecret(storage.dir.secretFile())
		if err != nil {
			return nil, nil, nil, err
		}
		secrets = [][]byte{secret}
	}
	type opened struct {
		ring *keys.Ring
		kek  keys.KEK
	}
	both, err := patiently(ctx, s.waits("key service"), "key service", func(ctx context.Context) (opened, error) {
		ring, kek, err := storage.keyring(ctx, s.log)
		return opened{ring, kek}, err
	})
	return secrets, both.ring, both.kek, err
}

// startTraces begins to keep traces, if the environment asks for them.
func (s *instance) startTraces(ctx context.Context) error {
	if !tracing.Wanted() {
		return nil
	}
	tracer, end, err := tracing.Start(ctx, version(), s.log)
	if err != nil {
		return err
	}
	s.tracer = tracer
	s.closeLater("traces", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), tracesLimit)
		defer cancel()
		if err := end(ctx); err != nil {
			s.log.Warn("traces not sent", "error", err)
		}
		return nil
	})
	return nil
}

// tracesLimit is how long the last traces may take to be sent.
const tracesLimit = 3 * time.Second

// openBus opens what ties the instances together. A Redis that is away is
// waited for behind the scenes.
func (s *instance) openBus(ctx context.Context) (oponn.Bus, error) {
	if s.cfg.redisURL == "" {
		local := bus.NewLocal()
		s.closeLater("bus", local.Close)
		return local, nil
	}
	shared, err := bus.OpenRedis(ctx, s.cfg.redisURL, bus.WithLogger(s.log), bus.WithMeter(s.metrics))
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL can't be used: %w", err)
	}
	s.closeLater("bus", shared.Close)
	return shared, nil
}

// parts are what the runtime and the servers are made of.
type parts struct {
	store   oponn.Store
	ring    *keys.Ring
	kek     keys.KEK
	bus     oponn.Bus
	secrets [][]byte
	assets  *views.Assets
}

// assemble starts the runtime, the two servers in front of it, and the chores.
func (s *instance) assemble(p parts) (err error) {
	s.runtime, err = actors.Start(actors.Config{
		Store: p.store, Keys: p.ring, Bus: p.bus, Logger: s.log, Meter: s.metrics, Writers: s.cfg.storage.writers(),
		MaxStreams: s.cfg.maxStreams, FrameInterval: s.cfg.frameInterval, IdleAfter: s.cfg.idleAfter, MaxPerBallot: s.cfg.maxWaiting,
	})
	if err != nil {
		return err
	}
	cfg := s.webConfig(p.secrets, p.assets)
	if cfg.Limiter, err = limiter(p.bus, p.secrets[0]); err == nil {
		s.web, err = web.New(cfg, s.runtime)
	}
	if err != nil {
		return errors.Join(err, s.runtime.Drain(context.Background()))
	}
	s.ops = ops.New(ops.Config{Addr: s.cfg.opsAddr, Logger: s.log, Level: s.level, Metrics: s.metrics,
		Parts: s.health(p), Console: s.console(p)})
	s.startChores(p)
	s.front.Open(s.ops)
	return nil
}

// listen opens a listener, or says in one sentence what hinders it.
func listen(ctx context.Context, setting, addr string, shared bool) (net.Listener, error) {
	var config net.ListenConfig
	if shared {
		config.Control = reusePort
	}
	l, err := config.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is taken: another program listens there; end it, or set %s to another address", addr, setting)
	case err != nil:
		return nil, fmt.Errorf("%s: can't listen: %w", setting, err)
	}
	return l, nil
}

// closeListener closes a listener that a server may have closed before.
func closeListener(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

func (s *instance) closeLater(name string, closePart func() error) {
	s.closing = append(s.closing, part{name, closePart})
}

// close closes what has been opened, in the opposite order.
func (s *instance) close(ctx context.Context) error {
	var errs []error
	for i := len(s.closing) - 1; i >= 0; i-- {
		p := s.closing[i]
		errs = append(errs, within(ctx, "close "+p.name, p.close))
	}
	s.closing = nil
	return errors.Join(errs...)
}
