package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	web "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/sqlite"
	"github.com/oponn/oponn/views"
)

// instance is a server with all its parts.
type instance struct {
	cfg config
	log *slog.Logger

	runtime     *actors.System
	web         *web.Server
	ops         *ops.Server
	listener    net.Listener
	opsListener net.Listener

	// closing is what to close at the end, the last one first.
	closing []part
}

type part struct {
	name  string
	close func() error
}

// start brings up all parts; the listeners last, so that whoever gets a
// connection gets an answer. What was opened is closed when it fails.
func start(ctx context.Context, cfg config, log *slog.Logger, assets *views.Assets) (_ *instance, err error) {
	s := &instance{cfg: cfg, log: log}
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
	secrets, ring, err := s.openKeys()
	if err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, cfg.dataDir.database())
	if err != nil {
		return nil, err
	}
	s.closeLater("database", store.Close)
	if s.listener, err = listen(ctx, "OPONN_ADDR", cfg.addr); err != nil {
		return nil, err
	}
	s.closeLater("listener", closeListener(s.listener))
	if s.opsListener, err = listen(ctx, "OPONN_OPS_ADDR", cfg.opsAddr); err != nil {
		return nil, err
	}
	s.closeLater("operators' listener", closeListener(s.opsListener))
	if err := claim.note(s.listener.Addr().String(), s.opsListener.Addr().String()); err != nil {
		return nil, err
	}
	if err := s.assemble(store, ring, secrets, assets); err != nil {
		return nil, err
	}
	return s, nil
}

// claim makes the data directory and takes it for this process.
func (s *instance) claim() (*lock, error) {
	if err := s.cfg.dataDir.make(); err != nil {
		return nil, err
	}
	claim, err := s.cfg.dataDir.lock()
	if err != nil {
		return nil, err
	}
	s.closeLater("lock", claim.release)
	if err := claim.note(s.cfg.addr, s.cfg.opsAddr); err != nil {
		return nil, err
	}
	return claim, nil
}

// openKeys returns what signs and what unlocks. A database without its key
// file is refused: with a fresh key, every ballot in it would be unreadable,
// and the next backup would keep the wrong key.
func (s *instance) openKeys() (secrets [][]byte, ring *keys.Ring, err error) {
	dir := s.cfg.dataDir
	_, database := os.Stat(dir.database())
	if _, key := os.Stat(dir.keyFile()); database == nil && errors.Is(key, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("the database %s is there, but not its key file %s: bring it back from a backup, "+
			"or move the database away to begin anew", dir.database(), dir.keyFile())
	}
	kek, err := keys.OpenLocal(dir.keyFile())
	if err != nil {
		return nil, nil, err
	}
	if secrets = s.cfg.secrets; len(secrets) == 0 {
		secret, err := keys.OpenSecret(dir.secretFile())
		if err != nil {
			return nil, nil, err
		}
		secrets = [][]byte{secret}
	}
	return secrets, keys.NewRing(kek), nil
}

// assemble starts the runtime and the two servers in front of it.
func (s *instance) assemble(store oponn.Store, ring oponn.Keyring, secrets [][]byte, assets *views.Assets) (err error) {
	notices := bus.NewLocal()
	s.closeLater("bus", notices.Close)
	s.runtime, err = actors.Start(actors.Config{
		Store: store, Keys: ring, Bus: notices, Logger: s.log,
		MaxStreams: s.cfg.maxStreams, FrameInterval: s.cfg.frameInterval, IdleAfter: s.cfg.idleAfter,
	})
	if err != nil {
		return err
	}
	if s.web, err = web.New(s.webConfig(secrets, assets), s.runtime); err != nil {
		return errors.Join(err, s.runtime.Drain(context.Background()))
	}
	s.ops = ops.New(ops.Config{Addr: s.cfg.opsAddr, Logger: s.log, Parts: []ops.Part{
		{Name: "store", Needed: true, Check: func(ctx context.Context) error {
			_, err := store.Ballots(ctx, oponn.BallotID{}, 1)
			return err
		}},
		{Name: "runtime", Needed: true, Check: func(ctx context.Context) error {
			_, err := s.runtime.Load(ctx)
			return err
		}},
	}})
	return nil
}

// listen opens a listener, or says in one sentence what hinders it.
func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	var config net.ListenConfig
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
