package pgtest

import (
	"context"
	"net/url"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// NewStandby starts a server that follows another one. From then on that one
// confirms a commit only when the standby has it. It is taken away when the
// test ends.
func NewStandby(tb testing.TB, primary *Server) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := startOn(ctx, primary.settings, func(s *Server) *exec.Cmd {
		return s.command(ctx, "pg_basebackup", "-D", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(primary.port), "-U", "oponn",
			"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	})
	if err != nil {
		tb.Fatalf("start a standby: %v", err)
	}
	tb.Cleanup(s.End)
	primary.do(tb, "alter system set synchronous_standby_names = '*'")
	primary.do(tb, "select pg_reload_conf()")
	primary.until(tb, "select exists (select from pg_stat_replication where sync_state = 'sync')", "the standby doesn't follow")
	return s
}

// Detach has a standby follow nobody any more, and returns when it has let go:
// what its primary commits from then on it never sees.
func (s *Server) Detach(tb testing.TB) {
	tb.Helper()
	s.do(tb, "alter system set primary_conninfo = ''")
	s.do(tb, "select pg_reload_conf()")
	s.until(tb, "select not exists (select from pg_stat_wal_receiver)", "the standby still follows")
}

// Waits says whether a commit waits for a standby's word.
func (s *Server) Waits(tb testing.TB) (waits bool) {
	tb.Helper()
	s.ask(tb, "select exists (select from pg_stat_activity where wait_event = 'SyncRep')", &waits)
	return waits
}

// Promote makes a standby the primary, and returns when it is.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	var promoted bool
	if s.ask(tb, "select pg_promote()", &promoted); !promoted {
		tb.Fatal("the standby isn't promoted")
	}
}

// Kill ends all processes of the server with SIGKILL, as when its machine dies.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	var processes []int
	s.ask(tb, "select array_agg(pid) from pg_stat_activity", &processes)
	s.signal(tb, syscall.SIGKILL) // the parent first: it would start the others again
	for _, pid := range processes {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended with its parent
	}
}

// Either is the URL of the one of several servers that may be written to.
func Either(servers ...*Server) string {
	u, _ := url.Parse(servers[0].URL())
	hosts := ""
	for i, s := range servers {
		if i > 0 {
			hosts += ","
		}
		hosts += "127.0.0.1:" + strconv.Itoa(s.port)
	}
	u.Host = hosts
	u.RawQuery += "&target_session_attrs=read-write"
	return u.String()
}

// until waits for what a question is about to be true, and complains when it
// doesn't get so.
func (s *Server) until(tb testing.TB, question, complaint string) {
	tb.Helper()
	tick, late := time.NewTicker(10*time.Millisecond), time.NewTimer(startTimeout)
	defer tick.Stop()
	defer late.Stop()
	for yes := false; ; {
		if s.ask(tb, question, &yes); yes {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			tb.Fatal(complaint)
		}
	}
}

// do runs a statement on the server's own database.
func (s *Server) do(tb testing.TB, statement string) {
	tb.Helper()
	administer(tb, s.URL(), statement)
}

// ask runs a query that gives one value.
func (s *Server) ask(tb testing.TB, query string, value any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, query).Scan(value); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}
