package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// How long things may take. An instance that froze inside a transaction loses
// it after two seconds; whoever waits for its heads waits longer than that and
// then goes on. What the server should have ended is given up some time later:
// it may be frozen itself.
const (
	connectTimeout = 5 * time.Second
	hostTimeout    = 2 * time.Second  // instead, for each of several hosts: one of them may be frozen
	patience       = 15 * time.Second // for all but a commit
	commitPatience = 15 * time.Second // for a commit: then the outcome is unknown
)

// role is what a connection is for.
type role int

const (
	reading role = iota
	writing
	scanning
	migrating
	looking
)

// settings are those of every session. They win over those of the database,
// of the role, and of the URL.
var settings = map[string]string{
	"application_name":                    "oponn",
	"timezone":                            "UTC",
	"synchronous_commit":                  "on",
	"lock_timeout":                        "4s",
	"statement_timeout":                   "10s",
	"idle_in_transaction_session_timeout": "2s",
	"tcp_keepalives_idle":                 "5",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "10000", // milliseconds
	"jit":                                 "off",
}

// special are the settings of a role.
var special = map[role]map[string]string{
	// Statements of writers touch few rows by their keys. On a table that has
	// never been analyzed the planner may think that reading all of it is as
	// good, and would keep that plan: it may not even consider it.
	writing: {
		"application_name": "oponn writer",
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
		"plan_cache_mode":  "force_generic_plan",
	},
	// Readers take rows in the order of a key, a page at a time. The planner may
	// think that sorting all of a ballot for each page is as good.
	reading: {
		"enable_sort":       "off",
		"enable_bitmapscan": "off",
	},
	// A scan holds no locks, and its reader may take its time.
	scanning: {
		"application_name":                    "oponn scan",
		"statement_timeout":                   "0",
		"idle_in_transaction_session_timeout": "60s",
	},
	looking: {
		"application_name": "oponn lookout",
	},
	migrating: {
		"application_name":                    "oponn migrate",
		"statement_timeout":                   "0",
		"idle_in_transaction_session_timeout": "0",
	},
}

// configure adds our settings to a configuration.
func configure(config *pgx.ConnConfig, role role) {
	maps.Copy(config.RuntimeParams, settings)
	maps.Copy(config.RuntimeParams, special[role])
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
		if names, _ := hostsOf(config); len(names) > 1 {
			config.ConnectTimeout = hostTimeout
		}
	}
	config.DialFunc = dial
}

// newPool makes a pool and its first connection.
func newPool(ctx context.Context, url string, role role, size int, options options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, unavailable(err)
	}
	config.MaxConns, config.MinConns = int32(size), 0
	configure(config.ConnConfig, role)
	config.BeforeConnect = func(_ context.Context, config *pgx.ConnConfig) error {
		equip(config, role, options)
		return nil
	}
	config.PingTimeout = hostTimeout
	config.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) {
		return !wireOf(conn.PgConn()).cut.Load(), nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate(ctx, err)
	}
	if err := use(ctx, pool, func(*connection) error { return nil }); err != nil {
		pool.Close()
		return nil, translate(ctx, err)
	}
	return pool, nil
}

// equip gives one connection its guard, and lets it check its server and
// prepare its statements before it is used.
func equip(config *pgx.ConnConfig, role role, options options) {
	if options.over != nil {
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return options.over(conn), nil
		}
	}
	g := options.lineage.hold(config, "")
	g.patience = options.commitPatience
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn.CustomData()[guardKey] = g
		c := &connection{conn}
		if err := c.prepare(ctx); err != nil {
			return err
		}
		if err := c.checkServer(ctx, options.production); err != nil || role != writing {
			return err
		}
		return c.run(ctx, step{limitTransaction, nil, nil})
	}
}

// errFsync refuses a server.
var errFsync = errors.New("the server runs with fsync=off and may forget what it has confirmed; turn it on, or don't run in production")

// checkServer refuses a server that is not safe.
func (c *connection) checkServer(ctx context.Context, production bool) error {
	var fsync, synchronous string
	err := c.run(ctx, step{selectSettings, nil, func(row row) { fsync, synchronous = row.text(0), row.text(1) }})
	switch {
	case err != nil:
		return err
	case production && fsync != "on":
		return errFsync
	case synchronous != "on":
		return fmt.Errorf("synchronous_commit is %q", synchronous)
	default:
		return nil
	}
}
