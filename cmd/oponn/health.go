package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/keys"
)

// health lists what votes depend on, and what is only worth knowing: without
// Redis or the KMS, votes on ballots that are awake go on.
func (s *instance) health(p parts) []ops.Part {
	found := []ops.Part{
		{Name: "store", Needed: true, Check: func(ctx context.Context) error {
			_, err := p.store.Ballots(ctx, oponn.BallotID{}, 1)
			return err
		}},
		{Name: "runtime", Needed: true, Check: func(ctx context.Context) error {
			_, err := s.runtime.Load(ctx)
			return err
		}},
		{Name: "commits", Needed: true, Check: func(context.Context) error {
			since, err := s.runtime.Failing()
			if err == nil {
				return nil
			}
			return &ops.AilmentError{Since: since, Err: errors.New(plainly(err))}
		}},
		{Name: "streams", Check: func(ctx context.Context) error {
			load, err := s.runtime.Load(ctx)
			if err != nil {
				return err
			}
			return roomLeft(load.Streams, s.cfg.maxStreams, "streams are open")
		}},
	}
	if most := openFiles(); canCountFiles {
		found = append(found, ops.Part{Name: "files", Check: func(context.Context) error {
			open, err := countFiles()
			if err != nil {
				return err
			}
			return roomLeft(open, int(min(most, math.MaxInt32)), "files are open")
		}})
	}
	if shared, ok := p.bus.(interface{ Health() error }); ok {
		found = append(found, ops.Part{Name: "bus", Check: func(context.Context) error { return busHealth(shared.Health()) }})
	}
	if kms, ok := p.kek.(*keys.KMSKEK); ok {
		found = append(found, ops.Part{Name: "keys", Check: func(ctx context.Context) error { return kmsHealth(ctx, kms) }})
	}
	return found
}

// kmsHealth asks a KMS that was not well when it was last needed.
func kmsHealth(ctx context.Context, kms *keys.KMSKEK) error {
	if kms.Health().State == keys.HealthOK {
		return nil
	}
	err := kms.Probe(ctx)
	if h := kms.Health(); h.State != keys.HealthOK {
		return &ops.AilmentError{Since: h.Since, Err: fmt.Errorf("%s: %s", h.State, h.Reason)}
	}
	return err
}

// busHealth tells since when a bus is not well.
func busHealth(err error) error {
	var degraded *bus.DegradedError
	if errors.As(err, &degraded) {
		return &ops.AilmentError{Since: degraded.Since, Err: fmt.Errorf("redis is not reached: %w", degraded.Cause)}
	}
	return err
}

// nearlyFull is the part of a bound from which on it is told, in percent.
const nearlyFull = 90

// roomLeft returns an error when something that has a bound is nearly full.
func roomLeft(used, most int, what string) error {
	if used*100 < most*nearlyFull {
		return nil
	}
	return fmt.Errorf("%d of %d %s", used, most, what)
}

// direct asks operators' listeners. The default transport would ask a proxy
// that the environment names.
var direct = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// opsURL returns where the operators' listener of this machine is asked that
// listens at an address.
func opsURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", usageError{fmt.Errorf("oponn: OPONN_OPS_ADDR is %q; an address is written like 127.0.0.1:8081", addr)}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

type healthCommand struct {
	OpsAddr string `env:"OPONN_OPS_ADDR" default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address of the operators' listener. Default: ${default}."`
}

// healthPatience bounds the question.
const healthPatience = 5 * time.Second

// Run asks the server of this machine whether it is ready, and prints what it
// says. It is there for containers, which have no other program to ask with.
func (c healthCommand) Run(ctx context.Context, t terminal) error {
	url, err := opsURL(c.OpsAddr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := direct.Do(request)
	if err != nil {
		return fmt.Errorf("no server answers at OPONN_OPS_ADDR (%s)", c.OpsAddr)
	}
	defer response.Body.Close()
	if _, err := io.Copy(t.out, io.LimitReader(response.Body, 64<<10)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errFailed
	}
	return nil
}
