package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ownServer is a server that bench starts for itself.
type ownServer struct {
	cmd     *exec.Cmd
	started bool
	dir     string
	// database is nil with SQLite.
	database *scratch
	url      string
	errors   bytes.Buffer
	exited   chan struct{}
}

// ownStart bounds how long it may take to be ready, and to end.
const ownStart = 30 * time.Second

// startOwn starts a server with the settings of a load test, on free ports of
// this machine, and returns once it is ready.
func startOwn(ctx context.Context, database string) (*ownServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &ownServer{exited: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "oponn-bench-"); err != nil {
		return nil, err
	}
	if err := s.launch(ctx, self, database); err != nil {
		return nil, errors.Join(err, s.end(ctx))
	}
	return s, nil
}

func (s *ownServer) launch(ctx context.Context, self, database string) error {
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return err
	}
	s.url = "http://" + ports[0]
	if database != "" {
		if s.database, err = makeScratch(ctx, database); err != nil {
			return err
		}
		database = s.database.url
	}
	s.cmd = exec.Command(self, "serve") //nolint:noctx // end ends it, in good order
	s.cmd.Dir = s.dir                   // where there is no .env
	s.cmd.Env = append(foreignSettings(), "OPONN_ADDR="+ports[0], "OPONN_OPS_ADDR="+ports[1], "OPONN_DATA_DIR="+filepath.Join(s.dir, "data"),
		"OPONN_RATE_LIMITS=off", "OPONN_VOTER_TOKENS=on", "OPONN_LOG_LEVEL=warn", "DATABASE_URL="+database)
	s.cmd.Stderr = &s.errors
	dieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.started = true
	go func() {
		defer close(s.exited)
		_ = s.cmd.Wait() // what it said tells more
	}()
	return s.ready(ctx, "http://"+ports[1]+"/readyz")
}

func (s *ownServer) pid() int { return s.cmd.Process.Pid }

// ready asks until the server is ready.
func (s *ownServer) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, ownStart)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	asking := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := asking.Do(request); err == nil {
			_ = response.Body.Close() // the status says it all
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server of this test ended: %s", strings.TrimSpace(s.errors.String()))
		case <-ctx.Done():
			return fmt.Errorf("the server of this test did not become ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// end ends the server and removes what it kept.
func (s *ownServer) end(ctx context.Context) error {
	if s.started {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-s.exited:
		case <-time.After(ownStart):
			_ = s.cmd.Process.Kill()
			<-s.exited
		}
	}
	err := os.RemoveAll(s.dir)
	if s.database != nil {
		err = errors.Join(err, s.database.drop(context.WithoutCancel(ctx)))
	}
	return err
}

// freePorts returns addresses of this machine that were free a moment ago.
func freePorts(ctx context.Context, n int) (addrs []string, err error) {
	// All are held until the last one is found: no two are the same.
	var held []net.Listener
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		held = append(held, l)
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// foreignSettings is the environment without what is ours.
func foreignSettings() (environment []string) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case strings.HasPrefix(name, "OPONN_"), strings.HasPrefix(name, "AWS_"), name == "DATABASE_URL", name == "REDIS_URL":
		default:
			environment = append(environment, variable)
		}
	}
	return environment
}
