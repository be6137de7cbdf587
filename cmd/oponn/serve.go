package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	web "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/views"
)

// drainLimit is how long the end may take, after the drain delay.
const drainLimit = 15 * time.Second

type serveCommand struct{ settings }

// Run serves until the context ends.
func (c serveCommand) Run(ctx context.Context, t terminal) error {
	cfg, err := c.read(openFiles())
	if err != nil {
		return err
	}
	if cfg.production {
		if err := keepMemory(); err != nil {
			return err
		}
	}
	log := newLog(t.err, cfg)
	defer log.Flush()
	slog.SetDefault(log.Logger)
	toggleDebug(ctx, log)
	assets := views.NewAssets()
	s, err := start(ctx, cfg, log, assets)
	if err != nil {
		return err
	}
	s.announce(t.out, assets.HasHTMX())
	return s.run(ctx)
}

// run serves until the context ends or a listener fails, and then drains.
func (s *instance) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	accepting := make(chan struct{})
	group.Go(func() error {
		defer close(accepting)
		return s.serveWeb()
	})
	group.Go(func() error { return <-s.frontEnded })
	group.Go(func() error {
		s.ops.Watch(ctx)
		return nil
	})
	group.Go(func() error {
		s.ops.Sample(ctx)
		return nil
	})
	group.Go(func() error {
		pace(ctx, s.runtime)
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return s.drain(accepting)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	s.log.Info("ended")
	return nil
}

func (s *instance) serveWeb() error {
	var err error
	if s.cfg.tlsCert != "" {
		err = s.web.ServeTLS(s.listener, s.cfg.tlsCert, s.cfg.tlsKey)
	} else {
		err = s.web.Serve(s.listener)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil // by drain
	}
	return err
}

// drain ends the instance so that nothing acknowledged is lost and nobody is
// left without an answer: unready first, so that no more is sent here; then no
// new connections, and the ones there are told to close; then the runtime
// answers what has come and ends the streams, for which the web server would
// wait for ever.
func (s *instance) drain(accepting <-chan struct{}) error {
	s.log.Info("draining; a second signal ends at once", "delay", s.cfg.drainDelay)
	s.ops.Drain()
	<-time.After(s.cfg.drainDelay)

	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	s.web.Drain()
	err := s.listener.Close()
	<-accepting
	err = errors.Join(err, s.runtime.Drain(ctx), s.web.Shutdown(ctx), s.front.Shutdown(ctx))
	return errors.Join(err, s.close(ctx))
}

// webConfig is what the web server is told.
func (s *instance) webConfig(secrets [][]byte, assets *views.Assets) web.Config {
	cfg := web.Config{
		PublicURL: s.cfg.publicURL, Production: s.cfg.production, Secrets: secrets,
		TrustedProxies: s.cfg.trustedProxies, VoterTokens: s.cfg.voterTokens, RateLimits: s.cfg.rateLimits,
		MaxStreams: s.cfg.maxStreams, Logger: s.log, Meter: s.metrics, Assets: assets, Tracer: s.tracer,
		Privacy: s.cfg.privacy, Imprint: s.cfg.imprint, ReportTo: s.cfg.reportTo,
	}
	if !s.cfg.production {
		cfg.LANURL = s.lanURL
	}
	return cfg
}

// within waits for what can't be told to hurry.
func within(ctx context.Context, what string, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
}
