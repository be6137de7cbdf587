package bus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Bounds of one exchange with Redis, unless the URL says otherwise.
const (
	dialTimeout     = time.Second
	exchangeTimeout = time.Second
)

// endpoint is where Redis is, and of which kind if the URL says so.
type endpoint struct {
	single *redis.Options
	many   *redis.ClusterOptions
	// cluster says that the URL asks for one; otherwise the server is asked.
	cluster bool
}

// parseEndpoint reads a URL as go-redis has it: redis:// or rediss:// (TLS),
// with the fields of its options as parameters. A cluster is asked for by
// cluster=true, or by more addresses in addr=. Errors don't tell the password.
func parseEndpoint(raw string) (*endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err // the rest quotes the URL
		}
		return nil, fmt.Errorf("redis URL: %w", err)
	}
	q := u.Query()
	e := &endpoint{cluster: q.Get("cluster") == "true" || q.Has("addr")}
	q.Del("cluster")
	u.RawQuery = q.Encode()
	if e.cluster {
		if e.many, err = redis.ParseClusterURL(u.String()); err != nil {
			return nil, fmt.Errorf("redis URL of a cluster: %w", err)
		}
	} else {
		if e.single, err = redis.ParseURL(u.String()); err != nil {
			return nil, fmt.Errorf("redis URL: %w", err)
		}
		e.many = clusterAt(e.single)
		bound(&e.single.DialTimeout, &e.single.ReadTimeout, &e.single.WriteTimeout, &e.single.PoolTimeout)
		if e.single.MaxRetries == 0 {
			e.single.MaxRetries = 1
		}
		e.single.DialerRetries, e.single.ContextTimeoutEnabled = 1, true
		e.single.MaintNotificationsConfig = quietMaintenance()
	}
	bound(&e.many.DialTimeout, &e.many.ReadTimeout, &e.many.WriteTimeout, &e.many.PoolTimeout)
	e.many.DialerRetries, e.many.ContextTimeoutEnabled = 1, true
	e.many.MaintNotificationsConfig = quietMaintenance()
	return e, nil
}

// clusterAt returns the options for a cluster, should the server turn out to
// be of one.
func clusterAt(o *redis.Options) *redis.ClusterOptions {
	return &redis.ClusterOptions{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, ClientName: o.ClientName,
		TLSConfig: o.TLSConfig, Protocol: o.Protocol, DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout,
		WriteTimeout: o.WriteTimeout, PoolTimeout: o.PoolTimeout, PoolSize: o.PoolSize, MinIdleConns: o.MinIdleConns,
		MaxIdleConns: o.MaxIdleConns, ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime}
}

// bound gives limits to what the URL left open.
func bound(dial *time.Duration, exchanges ...*time.Duration) {
	if *dial == 0 {
		*dial = dialTimeout
	}
	for _, limit := range exchanges {
		if *limit == 0 {
			*limit = exchangeTimeout
		}
	}
}

// quietMaintenance spares every connection a question that only some hosted
// services understand.
func quietMaintenance() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// dial returns a client, and whether it is of a cluster. It fails when that
// isn't known and Redis can't be asked.
func (e *endpoint) dial(ctx context.Context) (redis.UniversalClient, bool, error) {
	if e.cluster {
		return redis.NewClusterClient(e.many), true, nil
	}
	client := redis.NewClient(e.single)
	info, err := client.Info(ctx, "cluster").Result()
	var refused redis.Error
	switch {
	case err != nil && !errors.As(err, &refused):
		_ = client.Close()
		return nil, false, err
	case silenced(err):
		_ = client.Close()
		return nil, false, err
	case strings.Contains(info, "cluster_enabled:1"):
		_ = client.Close()
		return redis.NewClusterClient(e.many), true, nil
	default: // one that refuses the question is taken for a single server
		return client, false, nil
	}
}

// silenced says whether a server is there but doesn't talk to us, or not yet.
func silenced(err error) bool {
	return err != nil && (redis.HasErrorPrefix(err, "LOADING") || redis.HasErrorPrefix(err, "NOAUTH") ||
		redis.HasErrorPrefix(err, "WRONGPASS"))
}
