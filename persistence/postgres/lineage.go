package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lineage knows the newest primary that a store has met, and keeps the store
// from going back to an older one. A server that was promoted is on the next
// timeline; the one it took over from may still be there, frozen or cut off,
// and takes itself for the primary when it comes back. What it is asked then
// would be answered as of long ago.
//
// It is safe for concurrent use.
type lineage struct {
	mu     sync.Mutex
	newest timeline
	host   string // of the URL, where that one was found last; "" for nowhere
	wires  map[*wire]struct{}
}

// timeline is where a server is in the history of its database system. The zero
// timeline is that of a server that doesn't tell, or that is a standby.
type timeline struct{ system, number int64 }

// before says whether a server of this timeline has been taken over from. Of
// different database systems neither comes before the other.
func (t timeline) before(other timeline) bool {
	return t.system == other.system && t.number < other.number
}

var errOutdated = errors.New("another server has taken over from this one")

// wire is a connection to a server; it is cut when another server turns out to
// be the primary.
type wire struct {
	net.Conn
	lineage *lineage
	at      timeline // guarded by the lineage
	cut     atomic.Bool
}

// Close implements net.Conn.
func (w *wire) Close() error {
	w.cut.Store(true)
	w.lineage.mu.Lock()
	delete(w.lineage.wires, w)
	w.lineage.mu.Unlock()
	return w.Conn.Close()
}

// hold has the next connection of a configuration refused when its server is
// outdated, and cut when that is found out later. It has the newest primary
// tried first. The host is the only one of the configuration, or "".
func (l *lineage) hold(config *pgx.ConnConfig, host string) *guard {
	dial := config.DialFunc
	g := &guard{dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return l.lay(conn), nil
	}}
	config.DialFunc = g.dialUnlessCommitting
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if validate != nil {
			if err := validate(ctx, conn); err != nil {
				return err
			}
		}
		return l.admit(wireOf(conn), timelineOf(ctx, conn), host)
	}
	l.prefer(config)
	return g
}

// wireOf returns what a connection runs over.
func wireOf(conn *pgconn.PgConn) *wire {
	under := conn.Conn()
	if secured, ok := under.(*tls.Conn); ok {
		under = secured.NetConn()
	}
	return under.(*wire)
}

// lay notes a connection.
func (l *lineage) lay(conn net.Conn) *wire {
	w := &wire{Conn: conn, lineage: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wires == nil {
		l.wires = map[*wire]struct{}{}
	}
	l.wires[w] = struct{}{}
	return w
}

// admit refuses a connection to a server that has been taken over from. One to
// the server that has taken over cuts all others: also those under way, whose
// server may never answer. A COMMIT that is cut is unknown, and whoever asks
// again asks the new server.
func (l *lineage) admit(w *wire, at timeline, host string) error {
	l.mu.Lock()
	w.at = at
	former := l.newest
	switch {
	case at == (timeline{}):
		l.mu.Unlock()
		return nil
	case at.before(former):
		l.mu.Unlock()
		return errOutdated
	case at != former:
		l.newest, l.host = at, ""
	}
	if host != "" {
		l.host = host
	}
	var outdated []*wire
	for other := range l.wires {
		if former.before(at) && other.at != at {
			outdated = append(outdated, other)
		}
	}
	l.mu.Unlock()
	for _, other := range outdated {
		_ = other.Close() // nothing more is wanted of it
	}
	return nil
}

// selectTimeline reads it off the name of the file that is written to.
const selectTimeline = `select system_identifier, case when pg_is_in_recovery() then 0
	else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint end from pg_control_system()`

// timelineOf asks a server.
func timelineOf(ctx context.Context, conn *pgconn.PgConn) (at timeline) {
	answer := conn.ExecParams(ctx, selectTimeline, nil, nil, nil, binaryFormat).Read()
	if answer.Err == nil && len(answer.Rows) == 1 {
		at = timeline{system: row(answer.Rows[0]).bigint(0), number: row(answer.Rows[0]).bigint(1)}
	}
	if at.number == 0 {
		return timeline{}
	}
	return at
}

// prefer has the newest primary tried first: another one may be silent.
func (l *lineage) prefer(config *pgx.ConnConfig) {
	l.mu.Lock()
	host := l.host
	l.mu.Unlock()
	entries := entriesOf(config)
	slices.SortStableFunc(entries, func(a, b *pgconn.FallbackConfig) int {
		return order(nameOf(a) == host) - order(nameOf(b) == host)
	})
	enter(config, entries)
}

func order(first bool) int {
	if first {
		return 0
	}
	return 1
}

// hostsOf returns a configuration for each host that one names.
func hostsOf(config *pgx.ConnConfig) (names []string, each []*pgx.ConnConfig) {
	for _, entry := range entriesOf(config) {
		if !slices.Contains(names, nameOf(entry)) {
			names = append(names, nameOf(entry))
		}
	}
	for _, name := range names {
		own := config.Copy()
		enter(own, slices.DeleteFunc(entriesOf(own), func(e *pgconn.FallbackConfig) bool { return nameOf(e) != name }))
		each = append(each, own)
	}
	return names, each
}

// entriesOf returns where a configuration has a connection tried, and enter
// sets it.
func entriesOf(config *pgx.ConnConfig) []*pgconn.FallbackConfig {
	first := &pgconn.FallbackConfig{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}
	return append([]*pgconn.FallbackConfig{first}, config.Fallbacks...)
}

func enter(config *pgx.ConnConfig, entries []*pgconn.FallbackConfig) {
	config.Host, config.Port, config.TLSConfig, config.Fallbacks = entries[0].Host, entries[0].Port, entries[0].TLSConfig, entries[1:]
}

func nameOf(e *pgconn.FallbackConfig) string { return e.Host + ":" + strconv.Itoa(int(e.Port)) }
