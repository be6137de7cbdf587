package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Postgres server from the binaries of this machine.
type Server struct {
	account  account
	binaries string
	dir      string
	port     int
	settings []string
	watchdog *watchdog

	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	removed sync.Once
}

// NewServer starts a server with an empty database for one test alone, with
// settings such as "fsync=off". It is taken away when the test ends.
func NewServer(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := start(ctx, settings)
	if err != nil {
		tb.Fatalf("start Postgres: %v", err)
	}
	tb.Cleanup(s.End)
	return s
}

// URL is the server's own database.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://oponn@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// PID is that of the server's first process, the parent of all others.
func (s *Server) PID() int { return s.process.Process.Pid }

// Dir is a directory that the server may write to.
func (s *Server) Dir() string { return filepath.Dir(s.dir) }

// Own gives a file or directory to the server's account.
func (s *Server) Own(tb testing.TB, path string) {
	tb.Helper()
	if err := s.account.own(path); err != nil {
		tb.Fatal(err)
	}
}

// start makes an empty data directory and starts a server on it.
func start(ctx context.Context, settings []string) (*Server, error) {
	return startOn(ctx, settings, func(s *Server) *exec.Cmd {
		return s.command(ctx, "initdb", "-D", s.dir, "-U", "oponn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	})
}

// startOn has a program fill a data directory and starts a server on it.
func startOn(ctx context.Context, settings []string, fill func(*Server) *exec.Cmd) (s *Server, err error) {
	s = &Server{settings: settings}
	if s.binaries, err = binaries(); err != nil {
		return nil, err
	}
	if s.account, err = unprivileged(); err != nil {
		return nil, err
	}
	parent, err := os.MkdirTemp("", "oponn-postgres-") // it may outlive the test that needs it first
	if err != nil {
		return nil, err
	}
	s.dir = filepath.Join(parent, "data")
	if err := s.account.own(parent); err != nil {
		return nil, err
	}
	if s.watchdog, err = watch(parent); err != nil {
		return nil, errors.Join(err, os.RemoveAll(parent))
	}
	filling := fill(s)
	if output, err := filling.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("%v: %w: %s", filling.Args, err, output), s.watchdog.end())
	}
	for range 5 { // another process may take the free port first
		if s.port, err = freePort(ctx); err != nil {
			return nil, err
		}
		if err = s.launch(ctx); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, s.watchdog.end())
}

// command prepares a program of Postgres to run as an unprivileged user, in a
// process group of its own: an interrupt from the keyboard is for the test.
func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.binaries, program), args...)
	cmd.Dir = filepath.Dir(s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.account.credential}
	return cmd
}

// launch starts the server and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	args := []string{"-D", s.dir, "-p", strconv.Itoa(s.port)}
	for _, setting := range append([]string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"max_wal_size=256MB", "log_min_messages=fatal"}, s.settings...) {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(filepath.Join(filepath.Dir(s.dir), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s.process = s.command(context.Background(), "postgres", args...)
	s.process.Stdout, s.process.Stderr = log, log // not ours: go test waits for whoever holds it
	if err := s.process.Start(); err != nil {
		return err
	}
	exited, process := make(chan struct{}), s.process
	s.exited = exited
	go func() {
		_ = process.Wait()
		close(exited)
	}()
	return s.await(ctx)
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			tick.Stop()
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			log, _ := os.ReadFile(filepath.Join(filepath.Dir(s.dir), "log"))
			return fmt.Errorf("postgres has ended: %s", log)
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-tick.C:
		}
	}
}

// Start starts a server that was stopped, on the same port, and returns when
// it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launch(ctx); err != nil {
		tb.Fatalf("start Postgres: %v", err)
	}
}

// Stop ends the server in an orderly way: sessions are ended and told so.
func (s *Server) Stop(tb testing.TB) { s.signal(tb, syscall.SIGINT) }

// Crash ends the server at once, as if it had crashed: it recovers at the next
// start.
func (s *Server) Crash(tb testing.TB) { s.signal(tb, syscall.SIGQUIT) }

func (s *Server) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		tb.Fatalf("stop Postgres: %v", err)
	}
	<-s.exited
}

// End ends the server and removes its files. A test whose server writes to
// other places may call it itself.
func (s *Server) End() {
	s.removed.Do(func() {
		_ = s.process.Process.Signal(syscall.SIGQUIT) // it may have ended
		<-s.exited
		_ = s.watchdog.end()
	})
}

// freePort returns a port that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
